import CHeartwire

@_cdecl("hw_shutdown") @implementation
public func hw_shutdown(_ timeout_ms: UInt32, _ out: UnsafeMutablePointer<hw_shutdown_report>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let library = Library.shared
        let out = out as UnsafeMutablePointer<hw_shutdown_report>?
        if let out, !CStruct.hasRoom(out) { throw .argument("struct_size must be set to sizeof(hw_shutdown_report)") }
        if library.isLibraryThread {
            throw ErrorDetails(HW_E_IN_CALLBACK, HW_LAYER_NONE, "a callback must not wait for the end of its own connection")
        }
        let report = Shutdown.run(library, until: Clock.deadline(milliseconds: timeout_ms))
        if let out { CStruct.write(report, to: out) }
        if report.connections_cut > 0 || report.connections_unsent > 0 {
            throw ErrorDetails(HW_E_TIMEOUT, HW_LAYER_NONE, "not everything was sent and closed in time")
        }
    }
}
