import CHeartwire

@_cdecl("hw_metrics_write") @implementation
public func hw_metrics_write(_ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int, _ size: UnsafeMutablePointer<Int>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        try Arguments.write(Library.shared.metrics.text(Clock.now()), to: buffer, capacity: capacity, size: size)
    }
}
