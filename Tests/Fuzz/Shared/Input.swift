/// An input of the fuzzer: its first bytes make choices, the rest is data.
struct Input {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.bytes = bytes[...]
    }

    var isEmpty: Bool { bytes.isEmpty }

    /// The next byte, 0 when there is none left.
    mutating func choice() -> Int {
        Int(bytes.popFirst() ?? 0)
    }

    mutating func flag() -> Bool { choice() & 1 != 0 }

    /// The next bytes, fewer if there are not so many.
    mutating func take(_ count: Int) -> [UInt8] {
        defer { bytes = bytes.dropFirst(count) }
        return [UInt8](bytes.prefix(count))
    }

    mutating func takeRest() -> [UInt8] { take(bytes.count) }
}

/// The bytes whole, cut in two at a place that `cut` chooses, and cut into single bytes.
func splits(_ bytes: [UInt8], cut: Int) -> [[ArraySlice<UInt8>]] {
    let place = cut % (bytes.count + 1)
    return [[bytes[...]], [bytes[..<place], bytes[place...]], bytes.indices.map { bytes[$0...$0] }]
}

/// Requires the same result however the bytes are split, and gives it.
func sameForAllSplits<Result: Equatable>(_ bytes: [UInt8], cut: Int, _ run: ([ArraySlice<UInt8>]) -> Result) -> Result {
    let all = splits(bytes, cut: cut)
    let whole = run(all[0])
    for chunks in all.dropFirst() {
        let result = run(chunks)
        require(result == whole, "split into \(chunks.count): \(result)\nwhole: \(whole)")
    }
    return whole
}

/// Runs `body` on a block of its own that ends with the bytes, so that the sanitizer sees a step beyond them, or a look after it is gone.
func withBlock<Result>(_ bytes: ArraySlice<UInt8>, _ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { block.deallocate() }
    block.copyBytes(from: bytes)
    return body(block)
}
