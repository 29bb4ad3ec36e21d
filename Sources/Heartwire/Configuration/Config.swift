import CHeartwire
import Heartbeat
import Session
import WebSocket

/// What `hw_config` refers to. Its settings are a plain value: a copy is what a connection keeps.
final class Config: @unchecked Sendable {
    struct Settings {
        fileprivate(set) var values: [PropertyValue?] = Array(repeating: nil, count: PropertyId.allCases.count)
        var headers = HeaderFields()
        var onMessages: (callback: hw_messages_callback, context: UnsafeMutableRawPointer?)?
        var onEvent: (callback: hw_event_callback, context: UnsafeMutableRawPointer?)?
        var onDetect: (callback: hw_detect_callback, context: UnsafeMutableRawPointer?)?
        /// Set if each attempt waits for an answer; without a callback the event is delivered like any other.
        var beforeConnect: (callback: hw_event_callback?, context: UnsafeMutableRawPointer?)?
        /// Set if each client of a listener waits for an answer.
        var beforeAccept: (callback: hw_event_callback?, context: UnsafeMutableRawPointer?)?
        var inbox: (inbox: Inbox, context: UnsafeMutableRawPointer?)?
        /// Heartbeat rules of the application's own, as JSON text that has been checked.
        fileprivate(set) var rules: [[UInt8]] = []
        fileprivate(set) var opening: OpeningScript?
        /// Made with the first connection and shared by all until a setting changes.
        fileprivate var heartbeat: HeartbeatConfiguration?

        init() {}
    }

    private let lock = Lock()
    private var settings: Settings
    /// Of the settings that heartbeats come from: what was compiled before the last one is out of date.
    private var changes = 0

    init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    var snapshot: Settings { lock.withLock { settings } }

    func update(_ body: (inout Settings) -> Void) {
        lock.withLock {
            heartbeatsChanged()
            body(&settings)
        }
    }

    private func heartbeatsChanged() {
        settings.heartbeat = nil
        changes += 1
    }

    /// The settings with their heartbeats, compiled once for all connections.
    func prepared() throws(ErrorDetails) -> (settings: Settings, heartbeat: HeartbeatConfiguration) {
        let (settings, changes) = lock.withLock { (self.settings, self.changes) }
        if let heartbeat = settings.heartbeat { return (settings, heartbeat) }
        let heartbeat = try HeartbeatPlan.configuration(settings)
        lock.withLock { if self.changes == changes { self.settings.heartbeat = heartbeat } }
        return (settings, heartbeat)
    }

    /// Rules, and their bytes, that one configuration may hold.
    private static let rulesMax = 16
    private static let ruleBytesMax = 262_144

    func addRule(_ text: [UInt8]) throws(ErrorDetails) {
        do throws(RuleError) {
            var compiler = RuleCompiler()
            try compiler.add(text, asPreset: false)
        } catch {
            throw ErrorDetails(error)
        }
        let isAdded = lock.withLock { () -> Bool in
            let bytes = settings.rules.reduce(text.count) { $0 + $1.count }
            guard settings.rules.count < Self.rulesMax, bytes <= Self.ruleBytesMax else { return false }
            settings.rules.append(text)
            heartbeatsChanged()
            return true
        }
        if !isAdded { throw ErrorDetails(HW_E_TOO_LARGE, HW_LAYER_CONFIGURATION, "at most 16 rules of 256 KiB in all can be added") }
    }

    /// Adds a step to the opening script.
    func addStep(_ text: [UInt8]) throws(ErrorDetails) {
        let failure = lock.withLock { () -> ErrorDetails? in
            guard settings.opening?.hasRoom(for: text) ?? true else {
                return ErrorDetails(HW_E_TOO_LARGE, HW_LAYER_CONFIGURATION, "at most 32 steps of 256 KiB in all can be added")
            }
            do throws(RuleError) {
                settings.opening = try .adding(text, to: settings.opening)
            } catch {
                return ErrorDetails(step: error)
            }
            heartbeatsChanged()
            return nil
        }
        if let failure { throw failure }
    }

    /// Sets a property from its text.
    func set(_ name: [UInt8], _ text: [UInt8]) throws(ErrorDetails) {
        let property = try Self.property(name)
        if property.id == .preset { try HeartbeatPlan.check(preset: text) }
        guard let value = PropertyValue(text, for: property) else {
            let shown = property.isSecret ? "that" : "'" + String(utf8: text.prefix(60)) + "'"
            let form = "it takes \(property.form)\(property.range)"
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property '\(property.name)' cannot be \(shown); \(form)")
        }
        update { $0.values[property.id.rawValue] = value }
    }

    /// The value as text, the default if it was not set.
    func get(_ name: [UInt8]) throws(ErrorDetails) -> [UInt8] {
        let property = try Self.property(name)
        return lock.withLock { settings.values[property.id.rawValue] }?.text(for: property) ?? ASCII.bytes(property.defaultValue)
    }

    func addHeader(name: [UInt8], value: [UInt8]) throws(ErrorDetails) {
        let failure = lock.withLock { () -> ErrorDetails? in
            do throws(ErrorDetails) {
                try settings.headers.add(name: name, value: value)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    private static func property(_ name: [UInt8]) throws(ErrorDetails) -> Property {
        let (property, suggestion) = PropertyTable.find(name)
        if let property { return property }
        let shown = String(utf8: name.prefix(60))
        let hint = suggestion.map { "; did you mean '\($0)'?" } ?? "; hw_config_describe lists the properties"
        throw ErrorDetails(HW_E_PROPERTY, HW_LAYER_CONFIGURATION, "unknown property '\(shown)'\(hint)")
    }
}

extension Config.Settings {
    private func value(_ id: PropertyId) -> PropertyValue? {
        if let value = values[id.rawValue] { return value }
        let property = PropertyTable.properties[id.rawValue]
        return PropertyValue(ASCII.bytes(property.defaultValue), for: property)
    }

    func isSet(_ id: PropertyId) -> Bool { values[id.rawValue] != nil }

    mutating func set(_ id: PropertyId, choice: Int) { values[id.rawValue] = .choice(choice) }

    mutating func set(_ id: PropertyId, number: Int64) { values[id.rawValue] = .number(number) }

    @inline(never)
    func boolean(_ id: PropertyId) -> Bool {
        if case .boolean(let value)? = value(id) { value } else { false }
    }

    @inline(never)
    func number(_ id: PropertyId) -> Int64 {
        if case .number(let value)? = value(id) { value } else { 0 }
    }

    @inline(never)
    func choice(_ id: PropertyId) -> Int {
        if case .choice(let value)? = value(id) { value } else { 0 }
    }

    @inline(never)
    func bytes(_ id: PropertyId) -> [UInt8] {
        if case .bytes(let value)? = value(id) { value } else { [] }
    }
}
