import CHeartwire
import Heartbeat
import WebSocket

@_cdecl("hw_config_add_rule") @implementation
public func hw_config_add_rule(
    _ config: OpaquePointer!, _ json: UnsafePointer<CChar>!, _ size: Int, _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        guard let json = json as UnsafePointer<CChar>?, let text = Arguments.bytes(json, size) else { throw Arguments.missing("json") }
        // One byte more than allowed says that it is too long.
        try config.addRule([UInt8](text.prefix(RuleLimit.documentSize + 1)))
    }
}

@_cdecl("hw_config_on_detect") @implementation
public func hw_config_on_detect(
    _ config: OpaquePointer!, _ callback: hw_detect_callback!, _ context: UnsafeMutableRawPointer!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        let callback = callback as hw_detect_callback?
        config.update { $0.onDetect = callback.map { ($0, context) } }
    }
}

@_cdecl("hw_connection_respond") @implementation
public func hw_connection_respond(
    _ connection: OpaquePointer!, _ detection: hw_detection, _ reply: UnsafePointer<hw_reply>!
) -> hw_status {
    let target: Connection
    switch Library.shared.handles.connection(connection) {
    case .found(let found): target = found
    case .invalid: return hw_status(HW_E_HANDLE)
    case .forked: return hw_status(HW_E_FORKED)
    }
    guard let reply = reply as UnsafePointer<hw_reply>?, reply.pointee.struct_size >= UInt32(MemoryLayout<hw_reply>.size) else {
        return hw_status(HW_E_ARGUMENT)
    }
    return Detector.carryOut(detection, reply.pointee, on: target)
}

@_cdecl("hw_connection_health") @implementation
public func hw_connection_health(_ connection: OpaquePointer!, _ out: UnsafeMutablePointer<hw_health>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let connection = try Library.shared.handles.connection(connection).get()
        guard let out = out as UnsafeMutablePointer<hw_health>? else { throw Arguments.missing("out") }
        guard CStruct.write(connection.snapshot.health(Clock.now()), to: out) else {
            throw .argument("struct_size must be set to sizeof(hw_health)")
        }
    }
}

@_cdecl("hw_log") @implementation
public func hw_log(_ level: hw_log_level, _ callback: hw_log_callback!, _ context: UnsafeMutableRawPointer!) -> hw_status {
    guard level >= hw_log_level(HW_LOG_OFF), level <= hw_log_level(HW_LOG_DEBUG) else { return hw_status(HW_E_ARGUMENT) }
    let callback = callback as hw_log_callback?
    let library = Library.shared
    library.log.set(level, callback.map { ($0, context) }, waits: !library.isLibraryThread && !library.isStopped)
    return hw_status(HW_OK)
}
