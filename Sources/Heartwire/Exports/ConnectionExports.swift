import CHeartwire
import Heartbeat
import Session
import WebSocket

@_cdecl("hw_connection_open") @implementation
public func hw_connection_open(
    _ config: OpaquePointer!, _ url: UnsafePointer<CChar>!, _ out: UnsafeMutablePointer<OpaquePointer?>!,
    _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let library = Library.shared
        let config = try library.handles.config(config).get()
        guard let url = Arguments.text(url) else { throw Arguments.missing("url") }
        guard let out = out as UnsafeMutablePointer<OpaquePointer?>? else { throw Arguments.missing("out") }
        let (settings, heartbeat) = try config.prepared()
        let plan = try ConnectionPlan(settings, heartbeat, url: url, tlsContexts: library.tlsContexts)
        let connection = Connection(plan, library: library, io: try library.startedIOThread())
        guard let handle = library.handles.insert(.connection(connection)) else {
            throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_SYSTEM, "there are too many handles")
        }
        out.pointee = handle
        connection.open(handle)
    }
}

@_cdecl("hw_connection_wait") @implementation
public func hw_connection_wait(
    _ connection: OpaquePointer!, _ state: hw_state, _ timeout_ms: UInt32, _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let library = Library.shared
        let connection = try library.handles.connection(connection).get()
        guard let wanted = State(rawValue: state) else { throw .argument("\(state) is not an HW_STATE_...") }
        if library.isLibraryThread {
            throw ErrorDetails(HW_E_IN_CALLBACK, HW_LAYER_NONE, "a callback must not wait; look at the events instead")
        }
        switch connection.wait(for: wanted, until: Clock.deadline(milliseconds: timeout_ms)) {
        case .reached:
            return
        case .otherEnd(let reason):
            throw reason?.with(status: HW_E_STATE) ?? ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "the connection was closed")
        case .timeout(let reason):
            throw reason?.with(status: HW_E_TIMEOUT) ?? ErrorDetails(HW_E_TIMEOUT, HW_LAYER_NONE, "the time to wait ran out")
        case .released:
            throw ErrorDetails(HW_E_HANDLE, HW_LAYER_NONE, "the connection was released meanwhile")
        }
    }
}

@_cdecl("hw_connection_proceed") @implementation
public func hw_connection_proceed(
    _ connection: OpaquePointer!, _ attempt_id: UInt64, _ attempt: UnsafePointer<hw_attempt>!, _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let connection = try Library.shared.handles.connection(connection).get()
        guard connection.awaitsAnswer(attempt_id) else { throw attemptIsOver }
        let prepared = try AttemptAnswer.prepared(attempt as UnsafePointer<hw_attempt>?, connection.plan)
        if prepared.url?.isSecure == true { try connection.prepareTLS() }
        guard connection.proceed(attempt_id, prepared) else { throw attemptIsOver }
    }
}

private var attemptIsOver: ErrorDetails {
    ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "that attempt is over or was answered; HW_EVENT_CONNECT_DUE tells of the next")
}

@_cdecl("hw_connection_close") @implementation
public func hw_connection_close(_ connection: OpaquePointer!, _ code: UInt16, _ reason: UnsafePointer<CChar>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let connection = try Library.shared.handles.connection(connection).get()
        let reason = Arguments.text(reason) ?? []
        let isLegal = code == 0 ? reason.isEmpty : CloseCode.isLegalToSend(code)
        guard isLegal, reason.count <= CloseCode.reasonSizeMax, reason.withUnsafeBytes({ UTF8Validator.isValid($0) }) else {
            throw .argument("the close code or reason may not be sent (RFC 6455 sections 5.5.1 and 7.4)")
        }
        connection.close(CloseFrame(code: code == 0 ? CloseCode.noStatus : code, reason: reason))
    }
}

@_cdecl("hw_connection_rotate") @implementation
public func hw_connection_rotate(_ connection: OpaquePointer!) -> hw_status {
    exported { () throws(ErrorDetails) in
        guard try Library.shared.handles.connection(connection).get().rotate() else {
            throw ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "the connection is closing, disconnected or failed")
        }
    }
}

@_cdecl("hw_connection_release") @implementation
public func hw_connection_release(_ connection: OpaquePointer!) {
    if case .connection(let connection)? = Library.shared.handles.remove(connection, .connection) { connection.release() }
}

@_cdecl("hw_connection_state") @implementation
public func hw_connection_state(_ connection: OpaquePointer!) -> hw_state {
    guard case .found(let connection) = Library.shared.handles.connection(connection) else { return hw_state(HW_STATE_DISCONNECTED) }
    return connection.snapshot.state.rawValue
}

@_cdecl("hw_connection_peer_address") @implementation
public func hw_connection_peer_address(
    _ connection: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ size: UnsafeMutablePointer<Int>!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        guard let address = try Library.shared.handles.connection(connection).get().peerAddress else {
            throw ErrorDetails(HW_E_STATE, HW_LAYER_NONE, "the connection has no transport now")
        }
        try Arguments.write(address.text.bytes, to: buffer, capacity: capacity, size: size)
    }
}

@_cdecl("hw_connection_metrics") @implementation
public func hw_connection_metrics(_ connection: OpaquePointer!, _ out: UnsafeMutablePointer<hw_metrics>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let connection = try Library.shared.handles.connection(connection).get()
        guard let out = out as UnsafeMutablePointer<hw_metrics>? else { throw Arguments.missing("out") }
        guard CStruct.write(connection.snapshot.metrics(), to: out) else {
            throw .argument("struct_size must be set to sizeof(hw_metrics)")
        }
    }
}
