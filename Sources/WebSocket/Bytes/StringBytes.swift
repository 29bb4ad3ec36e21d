// Between strings and their UTF-8 as calls: the standard library's conversions are inlined, which makes much code out of each.

extension String {
    @inline(never)
    package var bytes: [UInt8] { [UInt8](utf8) }

    /// What is no UTF-8 is replaced.
    @inline(never)
    package init(utf8 bytes: [UInt8]) {
        self.init(decoding: bytes, as: UTF8.self)
    }

    package init(utf8 bytes: ArraySlice<UInt8>) {
        self.init(utf8: [UInt8](bytes))
    }
}
