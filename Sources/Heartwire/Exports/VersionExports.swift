import CHeartwire

// Each function's contract stands in include/heartwire.h; `@implementation` has the compiler check the signature against it.

@_cdecl("hw_version") @implementation
public func hw_version() -> UInt32 { 0x0001_0000 }

@_cdecl("hw_status_name") @implementation
public func hw_status_name(_ status: hw_status) -> UnsafePointer<CChar>! {
    Status.name(status).cString
}
