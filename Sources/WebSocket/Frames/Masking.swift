/// Masking of payloads (RFC 6455 section 5.3).

/// A masking key; its bytes apply to the payload in the order they stand on the wire.
package struct MaskingKey: Equatable {
    /// The four bytes, the first in the low bits, whatever the machine's byte order.
    package let word: UInt32

    package init(word: UInt32) {
        self.word = word
    }

    /// Reads the key from the four bytes at `pointer`.
    package init(at pointer: UnsafeRawPointer) {
        word = UInt32(littleEndian: pointer.loadUnaligned(as: UInt32.self))
    }

    package func store(at pointer: UnsafeMutableRawPointer) {
        pointer.storeBytes(of: word.littleEndian, as: UInt32.self)
    }

    /// The key for a payload whose first `count` bytes have been masked already.
    package func advanced(by count: Int) -> MaskingKey {
        let shift = UInt32(truncatingIfNeeded: count & 3) &* 8
        guard shift > 0 else { return self }
        return MaskingKey(word: (word &>> shift) | (word &<< (32 &- shift)))
    }

    /// Masks or unmasks `count` bytes from `source` into `destination`; the two may be the same place.
    @_optimize(speed)
    package func apply(from source: UnsafeRawPointer, to destination: UnsafeMutableRawPointer, count: Int) {
        let wide = (UInt64(word) | (UInt64(word) &<< 32)).littleEndian
        var index = 0
        while index &+ 8 <= count {
            let masked = source.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide
            destination.storeBytes(of: masked, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < count {
            let key = UInt8(truncatingIfNeeded: word &>> (UInt32(truncatingIfNeeded: index & 3) &* 8))
            let byte = source.load(fromByteOffset: index, as: UInt8.self) ^ key
            destination.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
            index &+= 1
        }
    }
}

/// Unpredictable masking keys, one a frame (RFC 6455 section 10.3), drawn in small lots from a source of randomness given by the caller.
package struct MaskingKeys: ~Copyable {
    private let fillRandom: (UnsafeMutableRawBufferPointer) -> Void
    private var lot: Allocation?
    private var used = MaskingKeys.lotSize

    private static let lotSize = 128

    package init(fillRandom: @escaping (UnsafeMutableRawBufferPointer) -> Void) {
        self.fillRandom = fillRandom
    }

    @_optimize(speed)
    package mutating func next() -> MaskingKey {
        let lot = lot ?? Allocation(byteCount: Self.lotSize)
        if used == Self.lotSize {
            self.lot = lot
            fillRandom(UnsafeMutableRawBufferPointer(start: lot.base, count: Self.lotSize))
            used = 0
        }
        let key = MaskingKey(at: UnsafeRawPointer(lot.base + used))
        used &+= 4
        return key
    }
}
