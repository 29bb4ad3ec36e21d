import CHeartwire
import Heartbeat
import Session
import WebSocket

/// An event as the C interface shows it, with the bytes that its pointers will refer to.
struct EventRecord {
    private(set) var event = hw_event()
    private(set) var text: [UInt8] = []
    private(set) var body: [UInt8] = []
    /// The error that the event reports, if it reports one.
    private(set) var error: ErrorDetails?

    /// `role` is this end's. `isResumed`: the connection that opened resumes a TLS session.
    init(_ source: Event, role: Role = .client, isResumed: Bool = false) {
        event.struct_size = UInt32(MemoryLayout<hw_event>.size)
        event.time_ns = UInt64(bitPattern: source.time.nanoseconds)
        event.epoch = source.epoch
        event.state = source.state.rawValue
        event.previous_state = source.state.rawValue
        event.rule = -1
        switch source.kind {
        case .stateChanged(let from, let reason, let delay):
            event.kind = hw_event_kind(HW_EVENT_STATE)
            if source.state == .reconnecting { event.delay_ms = Self.milliseconds(delay) }
            event.previous_state = from.rawValue
            set(reason, role)
        case .opened(let agreement):
            event.kind = hw_event_kind(HW_EVENT_OPENED)
            text = agreement.subprotocol
            event.compressed = agreement.compression == nil ? 0 : 1
            event.resumed = isResumed ? 1 : 0
        case .closed(let frame, let byPeer, let failure):
            event.kind = hw_event_kind(HW_EVENT_CLOSED)
            set(failure, role)
            event.close_code = Int32(frame.code)
            event.by_peer = byPeer ? 1 : 0
            if byPeer || failure == nil { text = frame.reason }
        case .attemptFailed(let failure, let attempt, let delay):
            event.kind = hw_event_kind(HW_EVENT_ATTEMPT_FAILED)
            set(failure, role)
            event.attempt = UInt32(clamping: attempt)
            // Zero says that there is no next attempt, so the shortest delay is 1.
            event.delay_ms = delay.map { Self.milliseconds($0) } ?? 0
        case .heartbeat(let note):
            set(note)
        case .connectDue(let attemptId, let attempt, let url, let within):
            event.kind = hw_event_kind(HW_EVENT_CONNECT_DUE)
            event.attempt_id = attemptId
            event.attempt = UInt32(clamping: attempt)
            event.delay_ms = Self.milliseconds(within)
            text = url.text
        case .acceptDue(let attemptId, let request, let within):
            event.kind = hw_event_kind(HW_EVENT_ACCEPT_DUE)
            event.attempt_id = attemptId
            event.delay_ms = Self.milliseconds(within)
            text = request.resource
            body = request.fields.text
        case .gap(let gap, let ended):
            event.kind = hw_event_kind(HW_EVENT_GAP)
            event.began_ns = UInt64(bitPattern: gap.began.nanoseconds)
            event.latency_ns = UInt64(clamping: (ended - gap.began).nanoseconds)
            event.last_message_ns = UInt64(bitPattern: gap.lastMessage?.nanoseconds ?? 0)
            event.count = gap.inDoubt
        case .attemptHeld(let interval, let hold):
            event.kind = hw_event_kind(HW_EVENT_ATTEMPT_HELD)
            event.delay_ms = Self.milliseconds(interval)
            event.level = hold.rawValue
        case .circuit(let change):
            event.kind = hw_event_kind(HW_EVENT_CIRCUIT)
            (event.previous_level, event.level) = (change.from.rawValue, change.to.rawValue)
            event.delay_ms = UInt64(clamping: change.openFor.nanoseconds / 1_000_000)
            text = change.host
        case .rotation(let step, let failure, let inDoubt):
            event.kind = hw_event_kind(HW_EVENT_ROTATION)
            event.level = step.rawValue
            event.count = inDoubt
            set(failure, role)
        case .outcome(let stretch):
            event.kind = hw_event_kind(HW_EVENT_OUTCOME)
            event.message_id = stretch.first
            event.count = stretch.count
            event.level = Int32(stretch.outcome.rawValue)
        case .writable:
            event.kind = hw_event_kind(HW_EVENT_WRITABLE)
        case .readingPaused:
            event.kind = hw_event_kind(HW_EVENT_SLOW_CONSUMER)
        case .messagesDropped(let count):
            event.kind = hw_event_kind(HW_EVENT_SLOW_CONSUMER)
            event.count = count
        case .warning(let sentence):
            event.kind = hw_event_kind(HW_EVENT_WARNING)
            text = sentence.bytes
        case .released:
            event.kind = hw_event_kind(HW_EVENT_RELEASED)
        }
    }

    private static func milliseconds(_ interval: Interval) -> UInt64 { UInt64(max(1, interval.nanoseconds / 1_000_000)) }

    private mutating func set(_ failure: Failure?, _ role: Role) {
        guard let failure else { return }
        let details = ErrorDetails(failure, role: role)
        error = details
        event.status = details.status
        event.layer = details.layer
        event.native_code = details.nativeCode
        event.http_status = details.httpStatus
        event.close_code = details.closeCode
        event.retryable = details.isRetryable ? 1 : 0
        event.retry_after_ms = details.retryAfterMs
        text = details.message.bytes
        body = details.body
    }

    private mutating func set(_ note: HeartbeatNote) {
        event.kind = hw_event_kind(note.kind.eventKind)
        (text, event.rule) = note.subject.named
        body = note.evidence
        switch note.kind {
        case .started, .stopped, .received, .beatSent:
            break
        case .responded(let time, let level):
            event.latency_ns = UInt64(clamping: time.nanoseconds)
            event.level = Int32(level.rawValue)
        case .responseLevelChanged(let from, let to, let time):
            (event.previous_level, event.level) = (Int32(from.rawValue), Int32(to.rawValue))
            event.latency_ns = UInt64(clamping: time.nanoseconds)
        case .timedOut(let intervals):
            event.count = UInt64(clamping: intervals)
        case .failed(let failure, let inARow):
            text += ASCII.bytes(": ") + ASCII.bytes(failure.phrase)
            event.count = UInt64(clamping: inARow)
        case .beatAcked(let roundTrip, let isLate):
            event.latency_ns = UInt64(clamping: roundTrip.nanoseconds)
            event.late = isLate ? 1 : 0
        case .beatMissed(let inARow):
            event.count = UInt64(clamping: inARow)
        case .healthChanged(let from, let to):
            (event.previous_level, event.level) = (Int32(from.rawValue), Int32(to.rawValue))
        case .qualityChanged(let from, let to, let mean):
            (event.previous_level, event.level) = (Int32(from.rawValue), Int32(to.rawValue))
            event.latency_ns = UInt64(clamping: mean.nanoseconds)
        case .reconnectAdvised(let url):
            text = url
        }
    }

    /// True for the events that say where a connection stands.
    var tellsOfLife: Bool {
        [HW_EVENT_STATE, HW_EVENT_OPENED, HW_EVENT_CLOSED].contains { hw_event_kind($0) == event.kind }
    }

    /// True for the events that come again and again while all is well.
    var isRoutine: Bool {
        [HW_EVENT_HEARTBEAT_RECEIVED, HW_EVENT_HEARTBEAT_RESPONDED, HW_EVENT_BEAT_SENT, HW_EVENT_BEAT_ACKED].contains {
            hw_event_kind($0) == event.kind
        }
    }

    /// True for a report of dropped messages.
    var tellsOfDrops: Bool { event.kind == hw_event_kind(HW_EVENT_SLOW_CONSUMER) && event.count > 0 }

    var isOutcome: Bool { event.kind == hw_event_kind(HW_EVENT_OUTCOME) }

    /// True for what `untold` makes.
    var isUntold: Bool { isOutcome && event.level == Int32(HW_OUTCOME_PENDING) }

    /// The same messages without what became of them, which the host has to ask for.
    var untold: EventRecord {
        var record = self
        record.event.level = Int32(HW_OUTCOME_PENDING)
        return record
    }

    /// Room for the struct and its bytes, so that the whole can be laid out with `write`.
    var size: Int { MemoryLayout<hw_event>.stride + text.count + body.count }

    /// Lays the event out at `memory`, aligned for it, with its pointers into the bytes that follow.
    func write(to memory: UnsafeMutableRawPointer) -> UnsafeMutablePointer<hw_event> {
        let textStart = memory + MemoryLayout<hw_event>.stride
        let bodyStart = textStart + text.count
        text.withUnsafeBytes { if let base = $0.baseAddress { textStart.copyMemory(from: base, byteCount: $0.count) } }
        body.withUnsafeBytes { if let base = $0.baseAddress { bodyStart.copyMemory(from: base, byteCount: $0.count) } }
        var laidOut = event
        laidOut.text = UnsafePointer(textStart.assumingMemoryBound(to: CChar.self))
        laidOut.text_size = text.count
        if !body.isEmpty {
            laidOut.body = UnsafePointer(bodyStart.assumingMemoryBound(to: UInt8.self))
            laidOut.body_size = body.count
        }
        let target = memory.bindMemory(to: hw_event.self, capacity: 1)
        target.initialize(to: laidOut)
        return target
    }
}

extension HeartbeatNote.Kind {
    fileprivate var eventKind: Int {
        switch self {
        case .started: HW_EVENT_ENGINE_STARTED
        case .stopped: HW_EVENT_ENGINE_STOPPED
        case .received: HW_EVENT_HEARTBEAT_RECEIVED
        case .responded: HW_EVENT_HEARTBEAT_RESPONDED
        case .responseLevelChanged: HW_EVENT_RESPONSE_LEVEL
        case .timedOut: HW_EVENT_HEARTBEAT_TIMEOUT
        case .failed: HW_EVENT_HEARTBEAT_FAILURE
        case .beatSent: HW_EVENT_BEAT_SENT
        case .beatAcked: HW_EVENT_BEAT_ACKED
        case .beatMissed: HW_EVENT_BEAT_MISSED
        case .healthChanged: HW_EVENT_HEALTH
        case .qualityChanged: HW_EVENT_QUALITY
        case .reconnectAdvised: HW_EVENT_RECONNECT_ADVISED
        }
    }
}

extension HeartbeatNote.Subject {
    /// As the text of an event names it, and the rule's number.
    var named: (text: [UInt8], rule: Int32) {
        func rule(_ name: StaticString, _ index: Int) -> ([UInt8], Int32) {
            (ASCII.bytes(name) + " \(index)".bytes, Int32(clamping: index))
        }
        return switch self {
        case .connection(let text): (text, -1)
        case .ping: (ASCII.bytes("ping"), -1)
        case .setup: (ASCII.bytes("setup"), -1)
        case .detector: (ASCII.bytes("detector"), -1)
        case .reply(let index): rule("reply", index)
        case .beat(let index): rule("beat", index)
        case .watch(let index): rule("watch", index)
        }
    }
}

extension HeartbeatFailure {
    var phrase: StaticString {
        switch self {
        case .overdue: "the answer did not reach the kernel within response.timeout"
        case .couldNotSend: "too many answers wait to be written already"
        case .couldNotMake: "the message could not be made: a value that it needs is missing, or it is too large"
        case .detector: "the detector failed"
        }
    }
}
