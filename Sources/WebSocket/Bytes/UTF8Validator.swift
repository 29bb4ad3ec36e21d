/// Incremental validation of UTF-8 (RFC 3629), as text messages and close reasons need it (RFC 6455 section 8.1).
///
/// Overlong forms, surrogates and code points above U+10FFFF are refused at the byte that proves them wrong, however the input is split.
package struct UTF8Validator {
    /// Continuation bytes that the present sequence still needs.
    private var needed: UInt8 = 0
    /// Bytes of the present sequence that have come.
    private var begun: UInt8 = 0
    /// The range that the next continuation byte must lie in; narrower than 0x80...0xBF only after E0, ED, F0 and F4.
    private var lower: UInt8 = 0x80
    private var upper: UInt8 = 0xBF

    package init() {}

    /// True if the bytes so far end at a code point's end.
    package var isComplete: Bool { needed == 0 }

    /// How many of the last bytes belong to a code point that is not complete yet.
    package var incompleteCount: Int { needed == 0 ? 0 : Int(begun) }

    @inline(__always)
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var validator = UTF8Validator()
        return validator.append(bytes) && validator.isComplete
    }

    /// Takes more bytes; false as soon as they cannot be UTF-8.
    @_optimize(speed)
    package mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = bytes.count
        var index = 0
        while index < count {
            if needed == 0 {
                index = skipASCII(base, from: index, count: count)
                index = skipSequences(base, from: index, count: count)
                guard index < count else { return true }
            }
            guard take(base.load(fromByteOffset: index, as: UInt8.self)) else { return false }
            index &+= 1
        }
        return true
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        if needed > 0 {
            guard byte >= lower && byte <= upper else { return false }
            needed &-= 1
            begun &+= 1
            lower = 0x80
            upper = 0xBF
            return true
        }
        begun = 1
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: needed = 1
        case 0xE0: (needed, lower) = (2, 0xA0)
        case 0xED: (needed, upper) = (2, 0x9F)
        case 0xE1...0xEF: needed = 2
        case 0xF0: (needed, lower) = (3, 0x90)
        case 0xF1...0xF3: needed = 3
        case 0xF4: (needed, upper) = (3, 0x8F)
        default: return false
        }
        return true
    }
}

/// The index of the first byte at or after `start` that is not ASCII, or `count`. Thirty-two bytes a step: this is nearly all the work that
/// receiving text costs.
@inline(never)
@_optimize(speed)
private func skipASCII(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
    let high: UInt64 = 0x8080_8080_8080_8080
    var index = start
    while index &+ 32 <= count {
        let a = base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let b = base.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
        let c = base.loadUnaligned(fromByteOffset: index &+ 16, as: UInt64.self)
        let d = base.loadUnaligned(fromByteOffset: index &+ 24, as: UInt64.self)
        if (a | b | c | d) & high != 0 { break }
        index &+= 32
    }
    while index &+ 8 <= count {
        if base.loadUnaligned(fromByteOffset: index, as: UInt64.self) & high != 0 { break }
        index &+= 8
    }
    while index < count && base.load(fromByteOffset: index, as: UInt8.self) < 0x80 {
        index &+= 1
    }
    return index
}

/// The index of the first byte at or after `start` that does not begin a valid sequence of two to four bytes, nor stands alone between such,
/// or behind which fewer than four bytes are left. Whole sequences in one step: text in most of the world's scripts is made of little else.
@inline(never)
@_optimize(speed)
private func skipSequences(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
    var index = start
    while index &+ 4 <= count {
        // The lead byte is the lowest, whatever the machine's byte order.
        let word = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt32.self))
        if word & 0xC0_C0F0 == 0x80_80E0 {
            // E0 below A0 would be overlong, ED from A0 on a surrogate.
            let bits = word & 0x200F
            guard bits != 0 && bits != 0x200D else { return index }
            index &+= 3
        } else if word & 0xC0E0_C0E0 == 0x80C0_80C0 && word & 0x1E != 0 && word & 0x1E_0000 != 0 {
            index &+= 4
        } else if word & 0xC0E0 == 0x80C0 {
            // C0 and C1 would be overlong.
            guard word & 0x1E != 0 else { return index }
            index &+= 2
        } else if word & 0xC0C0_C0F8 == 0x8080_80F0 {
            // F0 below 90 would be overlong, F4 from 90 on above U+10FFFF.
            let bits = word & 0x3007
            guard bits != 0 && (word & 0x07 < 4 || bits == 4) else { return index }
            index &+= 4
        } else if word & 0x8080 == 0x8000 {
            // A space or a comma between words; longer runs of ASCII are read faster elsewhere.
            index &+= 1
        } else {
            return index
        }
    }
    return index
}
