import CHeartwire
import Heartbeat
import Session
import WebSocket

@_cdecl("hw_connection_send") @implementation
public func hw_connection_send(
    _ connection: OpaquePointer!, _ kind: hw_kind, _ data: UnsafeRawPointer!, _ size: Int,
    _ options: UnsafePointer<hw_send_options>!, _ id: UnsafeMutablePointer<UInt64>!
) -> hw_status {
    let target: Connection
    switch Library.shared.handles.connection(connection) {
    case .found(let found): target = found
    case .invalid: return hw_status(HW_E_HANDLE)
    case .forked: return hw_status(HW_E_FORKED)
    }
    guard let kind = MessageKind(rawValue: UInt8(clamping: kind)), let payload = Arguments.bytes(data, size) else {
        return hw_status(HW_E_ARGUMENT)
    }
    if target.plan.isSendForbidden { return hw_status(HW_E_SEND_FORBIDDEN) }
    guard let wanted = SendWish(options, ttl: target.plan.queueTTL) else { return hw_status(HW_E_ARGUMENT) }
    let admission =
        wanted.isPart
        ? target.send(kind, part: payload, of: wanted.messageId, isLast: !wanted.hasMore, wanted.options)
        : sendWhole(target, kind, payload, wanted.options)
    if case .accepted(let number) = admission { (id as UnsafeMutablePointer<UInt64>?)?.pointee = number }
    return hw_status(admission)
}

private func hw_status(_ admission: Outbox.Admission) -> hw_status {
    switch admission {
    case .accepted: return hw_status(HW_OK)
    case .full: return hw_status(HW_E_FULL)
    case .tooLarge: return hw_status(HW_E_TOO_LARGE)
    case .closed: return hw_status(HW_E_STATE)
    case .notConnected: return hw_status(HW_E_NOT_CONNECTED)
    case .unknownMessage: return hw_status(HW_E_ARGUMENT)
    case .notUTF8: return hw_status(HW_E_UTF8)
    }
}

/// Looks at the message before the lock is taken.
private func sendWhole(
    _ target: Connection, _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ options: SendOptions
) -> Outbox.Admission {
    if payload.count > target.plan.outbox.bytesMax { return .tooLarge }
    if kind == .text && !UTF8Validator.isValid(payload) { return .notUTF8 }
    return target.send(kind, payload, options)
}

/// An hw_send_options, checked. The time to live begins now.
private struct SendWish {
    private(set) var options = SendOptions()
    private(set) var messageId: UInt64 = 0
    private(set) var hasMore = false

    /// A whole message is neither begun nor continued.
    var isPart: Bool { hasMore || messageId != 0 }

    /// The struct's size before it had ttl_ms.
    private static let sizeMin: UInt32 = 16
    private static let flags = UInt32(HW_SEND_MORE | HW_SEND_NOW | HW_SEND_REPORT)

    /// Nil if the struct is malformed, or its flags do not go together.
    init?(_ given: UnsafePointer<hw_send_options>?, ttl: Interval?) {
        var ttl = ttl
        if let given {
            let (size, flags) = (given.pointee.struct_size, given.pointee.flags)
            guard size >= Self.sizeMin, flags & ~Self.flags == 0 else { return nil }
            messageId = given.pointee.message_id
            hasMore = flags & UInt32(HW_SEND_MORE) != 0
            options.isNow = flags & UInt32(HW_SEND_NOW) != 0
            options.isReported = flags & UInt32(HW_SEND_REPORT) != 0
            if options.isNow && isPart { return nil }
            if size >= UInt32(MemoryLayout<hw_send_options>.size), given.pointee.ttl_ms > 0 {
                ttl = .milliseconds(Int64(clamping: min(given.pointee.ttl_ms, UInt64(PropertyTable.week))))
            }
        }
        if let ttl, messageId == 0 { options.expiry = Clock.now() + ttl }
    }
}

@_cdecl("hw_connection_outcome") @implementation
public func hw_connection_outcome(_ connection: OpaquePointer!, _ id: UInt64, _ out: UnsafeMutablePointer<hw_outcome>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let connection = try Library.shared.handles.connection(connection).get()
        guard let out = out as UnsafeMutablePointer<hw_outcome>? else { throw Arguments.missing("out") }
        guard let outcome = connection.outcome(of: id) else { throw unknownMessage }
        out.pointee = hw_outcome(outcome.rawValue)
    }
}

@_cdecl("hw_connection_cancel") @implementation
public func hw_connection_cancel(_ connection: OpaquePointer!, _ id: UInt64) -> hw_status {
    exported { () throws(ErrorDetails) in
        switch try Library.shared.handles.connection(connection).get().cancel(id) {
        case .cancelled: return
        case .tooLate: throw ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "the message has an outcome already, or is being written")
        case .unknown: throw unknownMessage
        }
    }
}

@_cdecl("hw_connection_keep") @implementation
public func hw_connection_keep(
    _ connection: OpaquePointer!, _ key: UnsafePointer<CChar>!, _ kind: hw_kind, _ data: UnsafeRawPointer!, _ size: Int
) -> hw_status {
    let target: Connection
    switch Library.shared.handles.connection(connection) {
    case .found(let found): target = found
    case .invalid: return hw_status(HW_E_HANDLE)
    case .forked: return hw_status(HW_E_FORKED)
    }
    guard let key = Arguments.text(key), (1...255).contains(key.count) else { return hw_status(HW_E_ARGUMENT) }
    guard key.withUnsafeBytes({ UTF8Validator.isValid($0) }) else { return hw_status(HW_E_UTF8) }
    guard let data = data as UnsafeRawPointer? else {
        guard size == 0 else { return hw_status(HW_E_ARGUMENT) }
        return key.withUnsafeBytes { hw_status(target.keep($0, nil)) }
    }
    guard let kind = MessageKind(rawValue: UInt8(clamping: kind)), let payload = Arguments.bytes(data, size) else {
        return hw_status(HW_E_ARGUMENT)
    }
    if target.plan.isSendForbidden { return hw_status(HW_E_SEND_FORBIDDEN) }
    if payload.count > target.plan.outbox.bytesMax { return hw_status(HW_E_TOO_LARGE) }
    guard kind == .binary || UTF8Validator.isValid(payload) else { return hw_status(HW_E_UTF8) }
    return key.withUnsafeBytes { hw_status(target.keep($0, (kind, payload))) }
}

private var unknownMessage: ErrorDetails {
    ErrorDetails(HW_E_RANGE, HW_LAYER_NONE, "no message of this connection has this id, or it was too long ago")
}
