extension StaticString {
    /// A StaticString from a literal ends with a NUL.
    var cString: UnsafePointer<CChar> {
        UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
