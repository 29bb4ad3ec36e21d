import CHeartwire
import Heartbeat
import WebSocket

/// The host's own eye for heartbeats that rules cannot express: its callback, and the way from its answers to the wire.
struct Detector {
    private let callback: hw_detect_callback
    private let context: UnsafeMutableRawPointer?
    private let timeout: Interval

    init(_ callback: hw_detect_callback, _ context: UnsafeMutableRawPointer?, timeout: Interval) {
        self.callback = callback
        self.context = context
        self.timeout = timeout
    }

    /// Shows the host a whole message, and sends what it answers.
    @inline(never)
    func look(at message: UnsafePointer<hw_message>, from connection: Connection, _ handle: OpaquePointer?) {
        guard message.pointee.flags == 0 else { return }
        var reply = hw_reply()
        reply.struct_size = UInt32(MemoryLayout<hw_reply>.size)
        reply.kind = hw_kind(HW_TEXT)
        reply.received_ns = message.pointee.received_ns
        reply.deadline_ns = message.pointee.received_ns &+ UInt64(clamping: timeout.nanoseconds)
        reply.epoch = message.pointee.epoch
        var detection = callback(handle, message, &reply, context)
        // The callback may have changed what tells where the answer belongs.
        reply.received_ns = message.pointee.received_ns
        reply.epoch = message.pointee.epoch
        if detection != hw_detection(HW_DETECT_NONE), Self.isMistake(Self.carryOut(detection, reply, on: connection)) {
            detection = hw_detection(HW_DETECT_FAILED)
            _ = Self.carryOut(detection, reply, on: connection)
        }
    }

    /// True if the detector has made one: its answer cannot be sent.
    private static func isMistake(_ status: hw_status) -> Bool {
        status != hw_status(HW_OK) && status != hw_status(HW_E_STATE)
    }

    /// Sends an answer and reports it, or reports what else was found.
    @inline(never)
    static func carryOut(_ detection: hw_detection, _ reply: hw_reply, on connection: Connection) -> hw_status {
        switch Int(detection) {
        case HW_DETECT_ANSWER:
            return answer(reply, on: connection)
        case HW_DETECT_SEEN:
            return connection.detected(.seen, epoch: reply.epoch) ? hw_status(HW_OK) : hw_status(HW_E_STATE)
        case HW_DETECT_FAILED:
            return connection.detected(.failed, epoch: reply.epoch) ? hw_status(HW_OK) : hw_status(HW_E_STATE)
        default:
            return hw_status(HW_E_ARGUMENT)
        }
    }

    private static func answer(_ reply: hw_reply, on connection: Connection) -> hw_status {
        guard let kind = MessageKind(rawValue: UInt8(clamping: reply.kind)), let payload = Arguments.bytes(reply.data, reply.size) else {
            return hw_status(HW_E_ARGUMENT)
        }
        if connection.plan.isSendForbidden { return hw_status(HW_E_SEND_FORBIDDEN) }
        guard payload.count <= TemplateWriter.sizeMax else { return hw_status(HW_E_TOO_LARGE) }
        if kind == .text && !UTF8Validator.isValid(payload) { return hw_status(HW_E_UTF8) }
        let received = min(Instant(nanoseconds: Int64(clamping: reply.received_ns)), Clock.now())
        let purpose = OutgoingHeartbeat.Purpose.answer(reply: nil, received: received)
        let heartbeat = OutgoingHeartbeat(purpose, kind == .text ? .text : .binary, [UInt8](payload))
        switch connection.respond(heartbeat, epoch: reply.epoch) {
        case .taken:
            return hw_status(HW_OK)
        case .noRoom:
            _ = connection.detected(.notSent, epoch: reply.epoch)
            return hw_status(HW_E_STATE)
        case .tooLate:
            return hw_status(HW_E_STATE)
        }
    }
}
