extension UnsafeRawBufferPointer {
    /// Where the byte stands first from `start` on; the end if it does not. Looks at eight bytes at once.
    func position(of byte: UInt8, from start: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var position = start
        while position &+ 8 <= count {
            // A byte of the difference is zero where the byte stands; the lowest such byte borrows first.
            let difference = UInt64(littleEndian: loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ pattern
            let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 { return position &+ zeros.trailingZeroBitCount / 8 }
            position &+= 8
        }
        while position < count, self[position] != byte { position &+= 1 }
        return position
    }
}
