import CHeartwire
import Heartbeat
import WebSocket

@_cdecl("hw_config_add_step") @implementation
public func hw_config_add_step(
    _ config: OpaquePointer!, _ json: UnsafePointer<CChar>!, _ size: Int, _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        guard let json = json as UnsafePointer<CChar>?, let text = Arguments.bytes(json, size) else { throw Arguments.missing("json") }
        // One byte more than allowed says that it is too long.
        try config.addStep([UInt8](text.prefix(RuleLimit.documentSize + 1)))
    }
}
