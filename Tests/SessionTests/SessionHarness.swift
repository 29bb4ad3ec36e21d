/// A session with its outbox and a clock, driven as the I/O thread drives it, with the test as the peer. Every step is checked: states
/// change only as documented and each change is one event, and there is never a second transport.
import Heartbeat
import Session
import Testing
import WebSocket

final class SessionHarness {
    var session: Session
    var outboxes: Outboxes
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var events: [Event] = []
    private(set) var received: [[UInt8]] = []
    /// The place whose server the test plays.
    var place = LinkPlace.first
    /// The bytes that each transport has carried, the present one last, and where the stream of each place is.
    private(set) var streams: [[UInt8]] = []
    private var streamIndex: [LinkPlace: Int] = [:]
    var isTransportOpen: Bool { isTransportOpen(place) }
    func isTransportOpen(_ place: LinkPlace) -> Bool { streamIndex[place] != nil }
    private(set) var transportsOpened = 0
    /// True once a final state has been reached, or the connection was abandoned.
    private(set) var hasEnded = false
    /// While false the socket takes nothing.
    var isWritable = true
    private var observed = State.disconnected
    private var batch = MessageBatch()
    private let scratch = RuleScratch()

    static let nonce = HandshakeNonce(key: bytes("a2V5"), accept: bytes("cHJvb2Y="))
    static let unixTime: Int64 = 1_700_000_000

    init(
        seed: UInt64 = 1, limits: Outbox.Limits = .init(messagesMax: 100, bytesMax: 1 << 20, fragmentSize: 1000),
        _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) {
        guard let url = try? URL(parsing: bytes("ws://peer.test/path")) else { preconditionFailure("the URL is valid") }
        var configuration = SessionConfiguration(url: url)
        change(&configuration)
        let variables = (HeartbeatVariables(configuration.heartbeat), HeartbeatVariables(configuration.heartbeat))
        session = Session(configuration, seed: seed, environment: FixedEnvironment(), gates: HostGateTable(), variables: variables)
        outboxes = Outboxes(
            first: Outbox(role: configuration.role, limits: limits, variables: variables.0, fillRandom: countingRandomness()),
            second: { [role = configuration.role] in
                Outbox(role: role, limits: limits, variables: variables.1, hasQueue: false, fillRandom: countingRandomness())
            },
            kept: KeptMessages(messagesMax: limits.messagesMax, bytesMax: limits.bytesMax))
    }

    var outbox: Outbox { outboxes[session.active] }

    var state: State { session.state }
    var deadline: Instant? { session.deadline }
    var heartbeats: HeartbeatSnapshot { session.heartbeatSnapshot }
    var metrics: SessionMetrics { session.metrics }

    // MARK: The application

    func start() { step { session.start(now) } }

    func close(_ frame: CloseFrame = CloseFrame(code: 1000, reason: [])) { step { session.close(frame, now, &outboxes) } }

    func abandon() {
        session.abandon(now, &outboxes)
        hasEnded = true
        if isWritable { flushAll() }
        observed = session.state
        settle()
    }

    @discardableResult
    func send(_ payload: [UInt8], _ kind: MessageKind = .text) -> Outbox.Admission {
        let admission = payload.withUnsafeBytes { outbox.enqueue(kind, $0) }
        settle()
        return admission
    }

    // MARK: The transport and the peer

    func openTransport() { step { session.transportOpened(place, Self.nonce, unixTime: Self.unixTime, &outboxes) } }

    func endTransport(_ kind: TransportFailure.Kind = .lost) {
        step { session.transportEnded(place, TransportFailure(kind: kind, nativeCode: 104, sentence: "ended"), now, &outboxes) }
    }

    func answer(_ text: String) { receive(bytes(text.replacingNewlines)) }

    /// The whole way to an open connection.
    func connect(subprotocol: String? = nil) {
        if session.state == .disconnected { start() }
        openTransport()
        acceptHandshake(subprotocol: subprotocol)
    }

    func acceptHandshake(subprotocol: String? = nil, then following: [UInt8] = []) {
        let field = subprotocol.map { "Sec-WebSocket-Protocol: \($0)\r\n" } ?? ""
        let head = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: cHJvb2Y=\r\n"
        receive(bytes(head + field + "\r\n") + following)
    }

    func receive(_ opcode: Opcode, _ payload: [UInt8]) { receive(SentFrame.write(opcode, payload)) }

    func receiveClose(_ code: UInt16, _ reason: String = "") { receive(.close, CloseFrame(code: code, reason: bytes(reason)).payload) }

    func receive(_ bytes: [UInt8]) {
        var input = bytes
        input.withUnsafeMutableBytes { read($0) }
        settle()
    }

    private func read(_ input: UnsafeMutableRawBufferPointer) {
        var consumed = 0
        while true {
            let before = consumed
            let outcome = session.read(place, input, consumed: &consumed, into: &batch)
            session.received(place, bytes: consumed - before, messages: batch.endedCount, now)
            deliver()
            switch outcome {
            case .needsInput: return
            case .deliver: break
            case .control(let opcode, let payload): session.controlReceived(place, opcode, payload: payload, now, &outboxes)
            case .failed(let error): session.protocolFailed(place, error, now, &outboxes)
            case .opened(let agreement): session.handshakeSucceeded(place, agreement, now, &outboxes)
            case .refused(let error):
                session.handshakeFailed(place, error, now, &outboxes)
                return
            case .requested(let request):
                decide(request)
            case .requestRefused(let error):
                turnAway(AcceptFailure(error))
                return
            }
        }
    }

    // MARK: A client's request

    /// What waits for the application's answer.
    private(set) var asked: HandshakeRequest?
    /// Why the client was turned away.
    private(set) var refusal: AcceptFailure?

    private func decide(_ request: HandshakeRequest) {
        switch session.requestReceived(request, now) {
        case .accept(let acceptance): accept(acceptance)
        case .refuse(let failure): turnAway(failure)
        case .ask: asked = request
        }
    }

    func accept(_ acceptance: Session.Acceptance) {
        session.accepted(acceptance.agreement, answer: ServerHandshake.acceptance(proof: bytes("proof")), now, &outboxes)
    }

    func turnAway(_ failure: AcceptFailure) {
        refusal = failure
        session.turnedAway(failure, now, &outboxes)
    }

    /// A client connects.
    func acceptTransport() {
        streamIndex[.first] = streams.count
        streams.append([])
        step { session.clientConnected(now) }
    }

    /// Has the heartbeat rules look at each message before the application gets it.
    private func deliver() {
        for message in batch.messages {
            let payload = [UInt8](message.payload)
            if session.isConcerned(place, by: message, now), session.messageReceived(place, message, scratch, now, &outboxes) { continue }
            received.append(payload)
        }
        batch.removeAll()
    }

    // MARK: Time

    func advance(_ interval: Interval) {
        now = now + interval
        step { session.timeout(now, &outboxes) }
    }

    /// Moves the clock from deadline to deadline as the loop would, for `interval` in all.
    func run(_ interval: Interval) {
        let end = now + interval
        while let deadline = session.deadline, deadline <= end {
            let moved = max(now, deadline)
            now = moved
            step { session.timeout(now, &outboxes) }
            if let next = session.deadline, next <= moved, session.state == .connected {
                Issue.record("the deadline did not move on")
                return
            }
        }
        now = end
    }

    /// Lets the present wait or timeout run out.
    func runToDeadline() {
        guard let deadline = session.deadline else { return }
        advance(max(.zero, deadline - now))
    }

    // MARK: What came of it

    /// The events since the last call, in short.
    func takeEvents() -> [String] {
        defer { events = [] }
        return events.map { $0.summary }
    }

    /// The frames of the present or last transport, behind the handshake.
    func sentFrames() throws -> [SentFrame] { try Self.frames(streams.last ?? []).frames }

    static func frames(_ stream: [UInt8]) throws -> (frames: [SentFrame], incomplete: Int) {
        guard stream.count >= 4, let end = (4...stream.count).first(where: { stream[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }) else {
            return ([], stream.count)
        }
        return try SentFrame.parse([UInt8](stream[end...]))
    }

    // MARK: Steps

    func step(_ body: () -> Void) {
        body()
        settle()
    }

    func settle() {
        drain()
        #expect(session.state == observed, "a state changed without an event")
        if isWritable { flushAll() }
    }

    private func flushAll() {
        while flushOnce(.first) || flushOnce(.second) {}
        drain()
    }

    private func flushOnce(_ place: LinkPlace) -> Bool {
        guard isTransportOpen(place) else { return false }
        write(place, .max)
        return session.written(place, now, &outboxes)
    }

    func flush(limit: Int = .max) {
        flush(place, limit: limit)
    }

    private func flush(_ place: LinkPlace, limit: Int = .max) {
        repeat { write(place, limit) } while session.written(place, now, &outboxes)
        drain()
    }

    private func drain() {
        while session.hasOutput {
            for action in session.takeActions() { act(action) }
            for event in session.takeEvents() { observe(event) }
        }
    }

    private func write(_ place: LinkPlace, _ limit: Int) {
        var left = limit
        while left > 0, let index = streamIndex[place] {
            let next = outboxes[place].nextTransmit()
            let count = min(left, next.count)
            if count == 0 { return }
            streams[index] += next.prefix(count)
            outboxes[place].transmitted(count, now)
            left -= count
        }
    }

    /// Of the events that tell of single heartbeats only misses are kept, unless they are asked for.
    var keepsHeartbeats = false

    private func act(_ action: Session.Action) {
        switch action {
        case .openTransport(let place):
            #expect(!isTransportOpen(place), "a second transport")
            streamIndex[place] = streams.count
            transportsOpened += 1
            streams.append([])
        case .closeTransport(let place):
            streamIndex[place] = nil
            outboxes.existing(place)?.connectionEnded()
        }
    }

    private static let transitions: [State: Set<State>] = [
        .disconnected: [.connecting],
        .connecting: [.connected, .reconnecting, .closing, .disconnected, .failed],
        .connected: [.reconnecting, .closing, .disconnected, .failed],
        .reconnecting: [.connected, .closing, .disconnected, .failed],
        .closing: [.disconnected],
        .failed: [],
    ]

    private func observe(_ event: Event) {
        #expect(event.time == now)
        if case .stateChanged(let from, _, _) = event.kind {
            #expect(from == observed)
            #expect(Self.transitions[from]?.contains(event.state) == true, "\(from) to \(event.state)")
            observed = event.state
            if event.state.isFinal { hasEnded = true }
        }
        #expect(event.state == observed)
        if case .heartbeat(let note) = event.kind, !keepsHeartbeats, !note.isMiss { return }
        events.append(event)
    }
}

/// A wall clock that stands still, and chance without surprise.
final class FixedEnvironment: HeartbeatEnvironment {
    func unixNanoseconds(at now: Instant) -> Int64 { SessionHarness.unixTime * 1_000_000_000 }
    func appendUUID(to text: inout [UInt8]) { text += bytes("00000000-0000-4000-8000-000000000001") }
    func appendRandom(to text: inout [UInt8]) { text += bytes("random") }
    func fraction() -> Double { 0.5 }
}

extension HeartbeatNote {
    var isMiss: Bool { if case .beatMissed = kind { true } else { false } }

    var summary: String {
        switch kind {
        case .started: "started"
        case .stopped: "stopped"
        case .received: "received \(subject)"
        case .responded: "responded \(subject)"
        case .responseLevelChanged(_, let level, _): "response \(level)"
        case .timedOut(let intervals): "silent \(intervals) \(subject)"
        case .failed(let failure, let inARow): "failed \(failure) \(inARow) \(subject)"
        case .beatSent: "sent \(subject)"
        case .beatAcked(_, let isLate): "acked \(subject)" + (isLate ? " late" : "")
        case .beatMissed(let inARow): "missed \(inARow)"
        case .healthChanged(_, let health): "health \(health)"
        case .qualityChanged(_, let quality, _): "quality \(quality)"
        case .reconnectAdvised(let url): "reconnect \(String(decoding: url, as: UTF8.self))"
        }
    }
}

extension SessionConfiguration {
    /// A rule that sends `payload` every `interval`.
    func setBeat(every interval: Interval, _ opcode: SendRule.Opcode, _ payload: [UInt8]) {
        var send = SendRule(body: Template([.literal(payload)]))
        send.opcode = opcode
        var parts = RuleSetParts()
        parts.beats = [BeatRule(every: .fixed(interval), send: send)]
        heartbeat.rules = RuleSet(parts)
    }
}

extension String {
    fileprivate var replacingNewlines: String { split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") }
}

extension Event {
    /// The event in short, for comparison with what a test expects.
    var summary: String {
        switch kind {
        case .stateChanged(_, let reason, _): "state \(state)" + (reason.map { " (\($0.summary))" } ?? "")
        case .acceptDue(let id, let request, let within):
            "accept \(id) \(String(decoding: request.resource, as: UTF8.self)) within \(within.nanoseconds / 1_000_000) ms"
        case .opened(let agreement):
            agreement.subprotocol.isEmpty ? "opened \(epoch)" : "opened \(epoch) \(String(decoding: agreement.subprotocol, as: UTF8.self))"
        case .closed(let frame, let byPeer, let failure):
            "closed \(frame.code)" + (byPeer ? " by peer" : "") + (failure.map { " (\($0.summary))" } ?? "")
        case .attemptFailed(let failure, let attempt, let delay):
            "attempt \(attempt) failed (\(failure.summary))" + (delay == nil ? ", the last" : "")
        case .heartbeat(let note): note.summary
        case .outcome(let stretch): "\(stretch.outcome) \(stretch.first) to \(stretch.last)"
        case .writable: "writable"
        case .readingPaused: "reading paused"
        case .messagesDropped(let count): "dropped \(count)"
        case .warning(let sentence): "warning: \(sentence)"
        case .released: "released"
        case .connectDue(let attemptId, let attempt, _, _): "due \(attemptId), attempt \(attempt)"
        case .gap(let gap, let ended): "gap of \((ended - gap.began).nanoseconds / 1_000_000) ms, \(gap.inDoubt) in doubt"
        case .attemptHeld(let time, let hold): "held \(time.nanoseconds / 1_000_000) ms by \(hold)"
        case .circuit(let change): "circuit \(change.from) to \(change.to)"
        case .rotation(let step, let failure, let inDoubt):
            "rotation \(step) \(epoch)" + (failure.map { " (\($0.summary))" } ?? "") + (inDoubt > 0 ? ", \(inDoubt) in doubt" : "")
        }
    }
}

extension Failure {
    var summary: String {
        switch self {
        case .transport(let failure): "\(failure.kind)"
        case .handshake(.refused(let refusal)): "status \(refusal.status) \(String(decoding: refusal.body, as: UTF8.self))"
        case .handshake(.redirect(let error, let refusal)): "redirect \(refusal.status) \(error)"
        case .handshake(let error): "\(error)"
        case .connectTimeout: "timeout"
        case .handshakeTimeout: "handshake timeout"
        case .protocolViolation(let error): "\(error)"
        case .closedByPeer(let frame): "peer closed \(frame.code)"
        case .heartbeat(.pingsMissed(let missed), _): "gone after \(missed)"
        case .heartbeat(let verdict, _): "\(verdict)"
        case .slowConsumer: "slow"
        case .script(let failure): "script: \(failure.sentence)"
        case .accepting(let failure): "turned away with \(failure.status)"
        case .beforeConnect(let text): "before connect: \(text.map { String(decoding: $0, as: UTF8.self) } ?? "no answer")"
        }
    }
}
