import CHeartwire
import Session
import WebSocket

@_cdecl("hw_listener_open") @implementation
public func hw_listener_open(
    _ config: OpaquePointer!, _ url: UnsafePointer<CChar>!, _ out: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let library = Library.shared
        let settings = try library.handles.config(config).get().snapshot
        guard let url = Arguments.text(url) else { throw Arguments.missing("url") }
        guard let out = out as UnsafeMutablePointer<OpaquePointer?>? else { throw Arguments.missing("out") }
        let plan = try ConnectionPlan(
            settings, try ListenerPlan.heartbeat(settings), url: url, tlsContexts: library.tlsContexts, forListener: true)
        let listener = try Listener(plan, library: library, io: try library.startedIOThread())
        guard let handle = library.handles.insert(.listener(listener)) else {
            throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_SYSTEM, "there are too many handles")
        }
        out.pointee = handle
        listener.open()
    }
}

@_cdecl("hw_listener_port") @implementation
public func hw_listener_port(_ listener: OpaquePointer!, _ out: UnsafeMutablePointer<UInt16>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let listener = try Library.shared.handles.listener(listener).get()
        guard let out = out as UnsafeMutablePointer<UInt16>? else { throw Arguments.missing("out") }
        out.pointee = listener.port
    }
}

@_cdecl("hw_connection_accept") @implementation
public func hw_connection_accept(
    _ connection: OpaquePointer!, _ attempt_id: UInt64, _ http_status: UInt16, _ reason: UnsafePointer<CChar>!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let connection = try Library.shared.handles.connection(connection).get()
        guard http_status == 0 || (400...599).contains(http_status) else {
            throw .argument("http_status is 0 to let the client in, or 400 to 599")
        }
        let reason = Arguments.text(reason) ?? []
        guard reason.count <= 1024 else { throw .argument("the reason has at most 1,024 bytes") }
        guard reason.withUnsafeBytes({ UTF8Validator.isValid($0) }) else {
            throw ErrorDetails(HW_E_UTF8, HW_LAYER_NONE, "the reason is not UTF-8")
        }
        let refusal = http_status == 0 ? nil : AcceptFailure(status: http_status, sentence: String(utf8: reason))
        guard connection.listener != nil, connection.decide(attempt_id, refusal: refusal) else {
            throw ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "that client has gone, or was answered")
        }
    }
}

@_cdecl("hw_listener_join") @implementation
public func hw_listener_join(_ listener: OpaquePointer!, _ connection: OpaquePointer!, _ group: UnsafePointer<CChar>!) -> hw_status {
    changeGroup(listener, connection, group) { $0.join($1, $2) }
}

@_cdecl("hw_listener_leave") @implementation
public func hw_listener_leave(_ listener: OpaquePointer!, _ connection: OpaquePointer!, _ group: UnsafePointer<CChar>!) -> hw_status {
    changeGroup(listener, connection, group) { $0.leave($1, $2) }
}

private func changeGroup(
    _ listener: OpaquePointer?, _ connection: OpaquePointer?, _ group: UnsafePointer<CChar>?,
    _ change: (Listener, Connection, [UInt8]) -> Bool
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let listener = try Library.shared.handles.listener(listener).get()
        let connection = try Library.shared.handles.connection(connection).get()
        guard let group = try groupName(group) else { throw Arguments.missing("group") }
        guard change(listener, connection, group) else {
            throw ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "the connection is no client of this listener, or has gone")
        }
    }
}

private func groupName(_ group: UnsafePointer<CChar>?) throws(ErrorDetails) -> [UInt8]? {
    guard let name = Arguments.text(group) else { return nil }
    guard (1...255).contains(name.count) else { throw .argument("a group's name has 1 to 255 bytes") }
    guard name.withUnsafeBytes({ UTF8Validator.isValid($0) }) else {
        throw ErrorDetails(HW_E_UTF8, HW_LAYER_NONE, "the group's name is not UTF-8")
    }
    return name
}

@_cdecl("hw_listener_broadcast") @implementation
public func hw_listener_broadcast(
    _ listener: OpaquePointer!, _ group: UnsafePointer<CChar>!, _ kind: hw_kind, _ data: UnsafeRawPointer!, _ size: Int,
    _ reached: UnsafeMutablePointer<UInt64>!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let listener = try Library.shared.handles.listener(listener).get()
        let group = try groupName(group)
        guard let kind = MessageKind(rawValue: UInt8(clamping: kind)), let payload = Arguments.bytes(data, size) else {
            throw .argument("kind is HW_TEXT or HW_BINARY, and data not NULL")
        }
        guard kind == .binary || UTF8Validator.isValid(payload) else {
            throw ErrorDetails(HW_E_UTF8, HW_LAYER_NONE, "a text message must be UTF-8")
        }
        let count = listener.broadcast(group, kind, payload)
        if let reached = reached as UnsafeMutablePointer<UInt64>? { reached.pointee = count }
    }
}

@_cdecl("hw_listener_close") @implementation
public func hw_listener_close(_ listener: OpaquePointer!) {
    if case .listener(let listener)? = Library.shared.handles.remove(listener, .listener) { listener.close() }
}
