// The library's own masking and validation, as functions that codec.c can call; compiled with Sources/WebSocket as the library is.

@_cdecl("validate_utf8")
public func validateUTF8(_ bytes: UnsafeRawPointer, _ count: Int) -> Bool {
    UTF8Validator.isValid(UnsafeRawBufferPointer(start: bytes, count: count))
}

@_cdecl("mask")
public func mask(_ source: UnsafeRawPointer, _ destination: UnsafeMutableRawPointer, _ count: Int) {
    MaskingKey(word: 0x1234_5678).apply(from: source, to: destination, count: count)
}
