/// What libFuzzer calls with each input; every target defines `examine`.
@_cdecl("LLVMFuzzerTestOneInput")
public func examineOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    examine(Input([UInt8](UnsafeBufferPointer(start: start, count: count))))
    return 0
}

/// Ends the program with a message if something that must hold does not; the fuzzer keeps the input.
func require(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
