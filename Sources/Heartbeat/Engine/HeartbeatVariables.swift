import WebSocket

/// What a connection's rules have learned, and its counter. Messages are sent from any thread and some rules learn from them, so the owner
/// guards an object of this class with the lock that it guards the outbox with.
package final class HeartbeatVariables {
    private let rules: RuleSet
    private let parameters: [[UInt8]?]
    private let counterStart: Int64
    private let valueSizeMax: Int
    private var values: [[UInt8]?]
    /// What the next `${counter}` gives.
    package private(set) var counter: Int64
    /// For what is sent; made with the first message that needs it.
    private var scanner: JSONScanner?

    /// Longer values are not learned: they are no durations or identifiers.
    private static let heartbeatValueSizeMax = 256
    private static let observedSizeMax = 65536

    /// Nil if there are no rules. In Embedded Swift the object of a designated initializer that fails is never freed.
    package convenience init?(_ configuration: HeartbeatConfiguration) {
        guard let rules = configuration.rules else { return nil }
        self.init(rules, configuration.parameters, counterStart: configuration.counterStart, valueSizeMax: Self.heartbeatValueSizeMax)
    }

    /// For rules that nobody gives parameters for.
    package convenience init(_ rules: RuleSet, valueSizeMax: Int) {
        self.init(rules, rules.variables.map { _ in nil }, counterStart: 1, valueSizeMax: valueSizeMax)
    }

    private init(_ rules: RuleSet, _ parameters: [[UInt8]?], counterStart: Int64, valueSizeMax: Int) {
        self.rules = rules
        self.parameters = parameters
        self.counterStart = counterStart
        self.valueSizeMax = valueSizeMax
        values = parameters
        counter = counterStart
    }

    /// A connection knows nothing of what an earlier one taught.
    package func reset() {
        values = parameters
        counter = counterStart
    }

    package subscript(variable: Int) -> [UInt8]? { variable < values.count ? values[variable] : nil }

    package func advanceCounter() {
        counter &+= 1
    }

    /// A message of the application's is on its way out.
    package func observeOutgoing(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) {
        // The lock is held: what is larger than any message with a number in it is passed by.
        guard rules.learnsFromOutgoing, payload.count <= Self.observedSizeMax, rules.mayConcern(kind, payload) else { return }
        let scanner = scanner ?? JSONScanner()
        self.scanner = scanner
        var unit = UnitView(payload, kind: kind)
        for rule in rules.learns where rule.isOutgoing && rule.on.holds(for: &unit, rules, scanner) {
            _ = learn(rule, from: &unit, scanner)
        }
    }

    /// True if something was learned. JSON null says nothing, and never replaces what was known.
    package func learn(_ rule: LearnRule, from unit: inout UnitView, _ scanner: JSONScanner) -> Bool {
        guard let value = rule.capture.view(of: &unit, rules, scanner), !value.isEmpty, value.count <= valueSizeMax,
            !value.elementsEqual(Self.null)
        else { return false }
        switch rule.target {
        case .variable(let variable):
            guard variable < values.count else { return false }
            values[variable] = [UInt8](value)
        case .counter:
            guard let count = learnedCount(value), count < Int64.max, count &+ 1 > counter else { return false }
            counter = count &+ 1
        }
        return true
    }

    private static let null = ASCII.bytes("null")
}

/// What a thread needs to look at messages with rules; reused, so that looking allocates nothing.
package final class RuleScratch {
    package let scanner = JSONScanner()
    var captured = Captured()
    var body: [UInt8] = []
    var decoded = ByteQueue()
    var decodedBefore = ByteQueue()

    package init() {}
}

/// What templates get from outside of messages.
package struct EngineValues: TemplateValues {
    let environment: any HeartbeatEnvironment
    let variables: HeartbeatVariables?
    let now: Instant

    package init(environment: any HeartbeatEnvironment, variables: HeartbeatVariables?, now: Instant) {
        self.environment = environment
        self.variables = variables
        self.now = now
    }

    package var counter: Int64 { variables?.counter ?? 0 }
    package var unixMilliseconds: Int64 { environment.unixNanoseconds(at: now) / 1_000_000 }
    package func advanceCounter() { variables?.advanceCounter() }
    package func appendUUID(to text: inout [UInt8]) { environment.appendUUID(to: &text) }
    package func appendRandom(to text: inout [UInt8]) { environment.appendRandom(to: &text) }
    package func learned(_ variable: Int) -> [UInt8]? { variables?[variable] }
}
