/// A heartbeat engine on a clock of the test's own. Whatever a test does with it, each poll is checked: one that comes early does nothing,
/// one that is repeated does nothing, the deadline moves on, and nothing is sent once the engine has said or heard that it is over.
import Heartbeat
import Testing
import WebSocket

final class EngineHarness {
    struct Sent: Equatable {
        let at: Instant
        let opcode: SendRule.Opcode
        let payload: [UInt8]
        let purpose: OutgoingHeartbeat.Purpose
        let followsQueue: Bool

        /// When and what, pings with their rule's payload only.
        var summary: String {
            let kind = opcode == .text ? "" : "\(opcode) "
            return "\(EngineHarness.text(at)) \(kind)\(String(decoding: payload, as: UTF8.self))"
        }
    }

    var engine: HeartbeatEngine
    let variables: HeartbeatVariables?
    let environment = EngineEnvironment()
    private(set) var now = Instant(nanoseconds: 0)
    private(set) var allSent: [Sent] = []
    private(set) var verdicts: [HeartbeatVerdict] = []
    /// While false the kernel takes nothing: what is sent waits.
    var isWritable = true {
        didSet { if isWritable { handOver() } }
    }
    private var waiting: [Sent] = []
    private var sent: [Sent] = []
    private var notes: [String] = []
    private var lastMessageSent: Instant?
    private let scratch = RuleScratch()
    private var hasEnded = false

    /// Opened at 0. Without a ping schedule, with verdicts after three failures.
    convenience init(
        _ rules: String, parameters: [String: String] = [:], isOpen: Bool = true, _ change: (HeartbeatConfiguration) -> Void = { _ in }
    ) throws {
        self.init(try compile(rules), parameters: parameters, isOpen: isOpen, change)
    }

    init(
        _ rules: RuleSet?, parameters: [String: String] = [:], isOpen: Bool = true, _ change: (HeartbeatConfiguration) -> Void = { _ in }
    ) {
        let configuration = HeartbeatConfiguration()
        configuration.rules = rules
        configuration.failureThreshold = 3
        configuration.parameters = (rules?.variables ?? []).map { parameters[String(decoding: $0, as: UTF8.self)].map { [UInt8]($0.utf8) } }
        change(configuration)
        variables = HeartbeatVariables(configuration)
        engine = HeartbeatEngine(configuration, environment, variables)
        if isOpen { open() }
    }

    // MARK: The connection

    func open() {
        hasEnded = false
        lastMessageSent = nil
        waiting = []
        engine.connectionOpened(now, salt: UInt64(bitPattern: now.nanoseconds) << 32 ^ 0xA5A5_0000_0000)
        drain()
    }

    func end() {
        engine.connectionEnded()
        drain()
        hasEnded = true
    }

    // MARK: What arrives

    @discardableResult
    func receive(_ text: String, _ kind: MessageKind = .text) -> Bool { receive([UInt8](text.utf8), kind) }

    /// True if the application is not to see the message.
    @discardableResult
    func receive(_ bytes: [UInt8], _ kind: MessageKind = .text) -> Bool {
        engine.bytesReceived(now)
        var isConsumed = false
        let copy = bytes
        bytes.withUnsafeBytes {
            if engine.isConcerned(by: kind, $0, now) { isConsumed = engine.messageReceived(kind, $0, scratch, now) }
        }
        #expect(bytes == copy)
        drain()
        return isConsumed
    }

    func receivePart() {
        engine.bytesReceived(now)
        if engine.isConcernedByPart(now) { engine.partReceived(now) }
        drain()
    }

    func receiveBytes() {
        engine.bytesReceived(now)
        drain()
    }

    func receivePing(_ payload: [UInt8] = []) {
        engine.bytesReceived(now)
        payload.withUnsafeBytes { engine.pingReceived($0, now) }
        drain()
        engine.answerHandedOver(.ping, received: now, now)
        drain()
    }

    func receivePong(_ payload: [UInt8]) {
        payload.withUnsafeBytes { engine.pongReceived($0, now) }
        engine.bytesReceived(now)
        drain()
    }

    /// The application sends a message, which leaves at once.
    func applicationSends(_ text: String) {
        Array(text.utf8).withUnsafeBytes { variables?.observeOutgoing(.text, $0) }
        lastMessageSent = now
    }

    // MARK: Time

    /// The machine was suspended, or its network changed.
    func probe() {
        engine.probe(now)
        drain()
    }

    /// Moves the clock without a word to the engine, as a stall does.
    func stall(until milliseconds: Int64, plus nanoseconds: Int64 = 0) {
        now = max(now, Self.instant(milliseconds, plus: nanoseconds))
    }

    /// Polls at each deadline up to a moment and including it.
    func run(until milliseconds: Int64, plus nanoseconds: Int64 = 0) {
        run(until: Self.instant(milliseconds, plus: nanoseconds))
    }

    func run(until end: Instant) {
        while let deadline = engine.deadline, deadline <= end {
            checkEarlyPoll(deadline)
            now = max(now, deadline)
            poll()
            if verdicts.isEmpty, let next = engine.deadline, next <= now {
                Issue.record("the deadline \(Self.text(next)) does not move on")
                return
            }
        }
        now = max(now, end)
    }

    /// As `run`, but what is due at the very end is left for after what arrives there.
    func arrive(at milliseconds: Int64, plus nanoseconds: Int64 = 0) {
        let moment = Self.instant(milliseconds, plus: nanoseconds)
        run(until: Instant(nanoseconds: moment.nanoseconds - 1))
        now = max(now, moment)
    }

    func poll() {
        pollOnce()
        let (sentBefore, notesBefore) = (allSent.count, notes)
        pollOnce()
        #expect(allSent.count == sentBefore, "a repeated poll at \(Self.text(now)) sent something")
        #expect(notes == notesBefore, "a repeated poll at \(Self.text(now)) noted something")
    }

    private func checkEarlyPoll(_ deadline: Instant) {
        let early = Instant(nanoseconds: deadline.nanoseconds - 1)
        guard early > now else { return }
        now = early
        let (sentBefore, notesBefore) = (allSent.count, notes)
        pollOnce()
        #expect(allSent.count == sentBefore, "an early poll at \(Self.text(now)) sent something")
        #expect(notes == notesBefore, "an early poll at \(Self.text(now)) noted something")
    }

    private func pollOnce() {
        engine.poll(now, lastMessageSent: lastMessageSent, oldestAnswer: oldestAnswer)
        drain()
    }

    private var oldestAnswer: Instant? {
        waiting.compactMap { if case .answer(_, let received) = $0.purpose { received } else { nil } }.min()
    }

    // MARK: What came of it

    /// What was sent since the last call.
    func takeSent() -> [String] {
        defer { sent = [] }
        return sent.map { $0.summary }
    }

    /// What was noted since the last call: when, what, about what. Starts, ends and what was sent are left out.
    func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    private func drain() {
        while engine.hasOutput {
            for output in engine.takeOutputs() {
                switch output {
                case .send(let heartbeat): send(heartbeat)
                case .note(let note): observe(note)
                case .verdict(let verdict): verdicts.append(verdict)
                }
            }
        }
    }

    private func send(_ heartbeat: OutgoingHeartbeat) {
        #expect(!hasEnded && verdicts.isEmpty, "something was sent on a connection that is over")
        let item = Sent(
            at: now, opcode: heartbeat.opcode, payload: heartbeat.payload, purpose: heartbeat.purpose, followsQueue: heartbeat.followsQueue)
        sent.append(item)
        allSent.append(item)
        waiting.append(item)
        if isWritable { handOver() }
    }

    private func handOver() {
        for item in waiting {
            if item.opcode != .ping { lastMessageSent = now }
            if case .answer(let reply, let received) = item.purpose {
                engine.answerHandedOver(reply.map { .reply($0) } ?? .detector, received: received, now)
            } else {
                engine.beatHandedOver(item.purpose)
            }
        }
        waiting = []
        drain()
    }

    private func observe(_ note: HeartbeatNote) {
        #expect(note.evidence.count <= HeartbeatNote.evidenceMax)
        switch note.kind {
        case .started: hasEnded = false
        case .stopped: hasEnded = true
        case .beatSent: break
        default:
            #expect(!hasEnded, "\(note.kind) after the end")
            notes.append("\(Self.text(now)) \(note.summary)")
        }
    }

    static func instant(_ milliseconds: Int64, plus nanoseconds: Int64 = 0) -> Instant {
        Instant(nanoseconds: milliseconds * 1_000_000 + nanoseconds)
    }

    /// Milliseconds, and the nanoseconds by which it is off the nearest of them.
    static func text(_ instant: Instant) -> String {
        let milliseconds = (instant.nanoseconds + 500_000) / 1_000_000
        let rest = instant.nanoseconds - milliseconds * 1_000_000
        return rest == 0 ? "\(milliseconds)" : rest > 0 ? "\(milliseconds)+\(rest)" : "\(milliseconds)\(rest)"
    }
}

/// A wall clock that runs with the test's, and chance as a test sets it.
final class EngineEnvironment: HeartbeatEnvironment {
    static let unixMilliseconds: Int64 = 1_700_000_000_000
    var unixMillisecondsAtStart = unixMilliseconds
    var chance = 0.5
    private var uuids = 0
    private var randoms = 0

    func unixNanoseconds(at now: Instant) -> Int64 { unixMillisecondsAtStart * 1_000_000 + now.nanoseconds }

    func appendUUID(to text: inout [UInt8]) {
        uuids += 1
        text += [UInt8]("uuid-\(uuids)".utf8)
    }

    func appendRandom(to text: inout [UInt8]) {
        randoms += 1
        text += [UInt8]("r\(randoms)".utf8)
    }

    func fraction() -> Double { chance }
}

extension HeartbeatNote {
    var summary: String {
        switch kind {
        case .started: "started"
        case .stopped: "stopped"
        case .received: "received \(name)"
        case .responded(_, let level): "responded \(name) \(level)"
        case .responseLevelChanged(let previous, let level, _): "response \(previous) to \(level)"
        case .timedOut(let intervals): "silent \(intervals) \(name)"
        case .failed(let failure, let inARow): "failed \(failure) \(inARow) \(name)"
        case .beatSent: "sent \(name)"
        case .beatAcked(let roundTrip, let isLate): "acked \(name) \(roundTrip.nanoseconds / 1_000_000)" + (isLate ? " late" : "")
        case .beatMissed(let inARow): "missed \(inARow) \(name)"
        case .healthChanged(let previous, let health): "health \(previous) to \(health)"
        case .qualityChanged(let previous, let quality, _): "quality \(previous) to \(quality)"
        case .reconnectAdvised(let url): "reconnect \(String(decoding: url, as: UTF8.self))"
        }
    }

    private var name: String {
        switch subject {
        case .connection: "connection"
        case .ping: "ping"
        case .reply(let index): "reply \(index)"
        case .beat(let index): "beat \(index)"
        case .watch(let index): "watch \(index)"
        case .setup: "setup"
        case .detector: "detector"
        }
    }
}

extension [String] {
    /// Without changes of health and quality, for tests of something else.
    var withoutHealth: [String] { filter { !$0.contains(" health ") && !$0.contains(" quality ") } }
}
