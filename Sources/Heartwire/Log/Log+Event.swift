import CHeartwire
import Heartbeat
import WebSocket

/// Events as log lines.
extension Log {
    /// Of a payload no more is shown than this, and of text.
    private static let shownMax = 160

    /// Whose connection an event is about.
    enum Subject {
        case host
        /// A listener's: that it goes, or is not let in, is nothing out of the common.
        case client
        /// One that is none of the host's business.
        case stranger
    }

    /// `handle` tells connections apart.
    func write(_ record: EventRecord, _ subject: Subject, _ handle: OpaquePointer?, _ heartbeat: HeartbeatConfiguration) {
        let (ownLevel, name) = Self.form(record.event)
        let level = Self.level(ownLevel, subject, record.event)
        guard wants(level) else { return }
        var line = "connection \(UInt(bitPattern: handle)) epoch \(record.event.epoch): ".bytes + ASCII.bytes(name)
        let (before, after) = (record.event.previous_level, record.event.level)
        if before != after && Self.hasLevelBefore(record.event) { line += " \(before) -> \(after)".bytes }
        if record.event.count > 0 { line += ", \(record.event.count) ".bytes + ASCII.bytes(Self.counted(record.event)) }
        if record.event.latency_ns > 0 { line += ", \(record.event.latency_ns / 1000) us".bytes }
        if record.event.late > 0 { line += ASCII.bytes(", late") }
        let text = Self.textIsURL(record.event) ? Self.withoutCredentials(url: record.text) : record.text[...]
        if !text.isEmpty { line += ASCII.bytes(": ") + Self.shown(text) }
        if !record.body.isEmpty && Self.showsBody(record.event, heartbeat) {
            line += ASCII.bytes(" [") + Self.shown(record.body[...]) + ASCII.bytes("]")
        }
        write(level, line)
    }

    /// Bodies of refused handshakes are no business of a log, and some others hold what is secret.
    private static func showsBody(_ event: hw_event, _ heartbeat: HeartbeatConfiguration) -> Bool {
        switch Int(event.kind) {
        case HW_EVENT_ATTEMPT_FAILED, HW_EVENT_STATE, HW_EVENT_RECONNECT_ADVISED: false
        case HW_EVENT_BEAT_SENT, HW_EVENT_BEAT_MISSED: !heartbeat.sendsParameter(beat: Int(event.rule))
        default: true
        }
    }

    /// Levels of the others are no change of anything.
    private static func hasLevelBefore(_ event: hw_event) -> Bool {
        ![HW_EVENT_ROTATION, HW_EVENT_OUTCOME, HW_EVENT_ATTEMPT_HELD].contains { hw_event_kind($0) == event.kind }
    }

    private static func textIsURL(_ event: hw_event) -> Bool {
        [HW_EVENT_RECONNECT_ADVISED, HW_EVENT_CONNECT_DUE].contains { hw_event_kind($0) == event.kind }
    }

    /// What an event's count is of.
    private static func counted(_ event: hw_event) -> StaticString {
        switch Int(event.kind) {
        case HW_EVENT_GAP: "in doubt"
        case HW_EVENT_OUTCOME, HW_EVENT_SLOW_CONSUMER: "messages"
        default: "in a row"
        }
    }

    /// Scheme, host and path: a user name or a query may be there to authorize.
    private static func withoutCredentials(url: [UInt8]) -> ArraySlice<UInt8> {
        let path = url.prefix { $0 != 0x3F && $0 != 0x23 }
        return path[(path.lastIndex(of: 0x40).map { $0 + 1 } ?? 0)...]
    }

    /// Printable ASCII as it is, everything else as \xNN: a log line must not do anything to a terminal.
    private static func shown(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let digits = ASCII.bytes("0123456789abcdef")
        var result: [UInt8] = []
        for byte in bytes.prefix(shownMax) {
            if byte >= 0x20 && byte < 0x7F && byte != 0x5C {
                result.append(byte)
            } else {
                result += [0x5C, 0x78, digits[Int(byte >> 4)], digits[Int(byte & 0x0F)]]
            }
        }
        return result
    }

    private static func level(_ own: hw_log_level, _ subject: Subject, _ event: hw_event) -> hw_log_level {
        switch subject {
        case .host: own
        case .client where [HW_EVENT_STATE, HW_EVENT_ATTEMPT_FAILED].contains { hw_event_kind($0) == event.kind }: hw_log_level(HW_LOG_INFO)
        case .client: own
        case .stranger: hw_log_level(HW_LOG_DEBUG)
        }
    }

    private static func form(_ event: hw_event) -> (level: hw_log_level, name: StaticString) {
        let (level, name): (Int, StaticString) =
            switch Int(event.kind) {
            case HW_EVENT_STATE where event.state == hw_state(HW_STATE_FAILED): (HW_LOG_ERROR, "failed")
            case HW_EVENT_STATE: (HW_LOG_INFO, stateName(event.state))
            case HW_EVENT_OPENED: (HW_LOG_INFO, "opened")
            case HW_EVENT_CLOSED: (HW_LOG_INFO, "closed")
            case HW_EVENT_ATTEMPT_FAILED: (HW_LOG_WARNING, "attempt failed")
            case HW_EVENT_BEAT_MISSED: (HW_LOG_WARNING, "beat missed")
            case HW_EVENT_WRITABLE: (HW_LOG_DEBUG, "writable")
            case HW_EVENT_SLOW_CONSUMER: (HW_LOG_WARNING, "slow consumer")
            case HW_EVENT_WARNING: (HW_LOG_WARNING, "warning")
            case HW_EVENT_HEARTBEAT_RECEIVED: (HW_LOG_DEBUG, "heartbeat received")
            case HW_EVENT_HEARTBEAT_RESPONDED: (HW_LOG_DEBUG, "heartbeat responded")
            case HW_EVENT_HEARTBEAT_TIMEOUT: (HW_LOG_WARNING, "heartbeat timeout")
            case HW_EVENT_HEARTBEAT_FAILURE: (HW_LOG_WARNING, "heartbeat failure")
            case HW_EVENT_BEAT_SENT: (HW_LOG_DEBUG, "beat sent")
            case HW_EVENT_BEAT_ACKED: (HW_LOG_DEBUG, "beat acknowledged")
            case HW_EVENT_ENGINE_STARTED: (HW_LOG_DEBUG, "heartbeats started")
            case HW_EVENT_ENGINE_STOPPED: (HW_LOG_DEBUG, "heartbeats stopped")
            case HW_EVENT_HEALTH: (HW_LOG_INFO, "health")
            case HW_EVENT_QUALITY: (HW_LOG_INFO, "quality")
            case HW_EVENT_RESPONSE_LEVEL: (HW_LOG_WARNING, "response level")
            case HW_EVENT_RECONNECT_ADVISED: (HW_LOG_WARNING, "reconnect advised")
            case HW_EVENT_GAP: (HW_LOG_WARNING, "gap")
            case HW_EVENT_ROTATION where event.level == hw_rotation(HW_ROTATION_FAILED): (HW_LOG_WARNING, "rotation failed")
            case HW_EVENT_ROTATION: (HW_LOG_INFO, rotationStep(event.level))
            case HW_EVENT_CIRCUIT: (HW_LOG_WARNING, "circuit")
            case HW_EVENT_OUTCOME: (HW_LOG_DEBUG, outcome(event.level))
            case HW_EVENT_CONNECT_DUE: (HW_LOG_DEBUG, "connect due")
            case HW_EVENT_ATTEMPT_HELD: (HW_LOG_INFO, "attempt held")
            default: (HW_LOG_DEBUG, "event")
            }
        return (hw_log_level(level), name)
    }

    private static func rotationStep(_ step: hw_rotation) -> StaticString {
        switch Int(step) {
        case HW_ROTATION_STARTED: "rotation started"
        case HW_ROTATION_SWITCHED: "rotation switched"
        default: "rotation finished"
        }
    }

    private static func outcome(_ outcome: hw_outcome) -> StaticString {
        switch Int(outcome) {
        case HW_OUTCOME_SENT: "sent"
        case HW_OUTCOME_EXPIRED: "expired"
        case HW_OUTCOME_DROPPED: "dropped"
        default: "cancelled"
        }
    }

    private static func stateName(_ state: hw_state) -> StaticString {
        switch Int(state) {
        case HW_STATE_CONNECTING: "connecting"
        case HW_STATE_CONNECTED: "connected"
        case HW_STATE_RECONNECTING: "reconnecting"
        case HW_STATE_CLOSING: "closing"
        default: "disconnected"
        }
    }
}
