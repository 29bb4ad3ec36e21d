import WebSocket

/// What stands between the quotes of a valid JSON string: its decoded content is UTF-8, read piece by piece (RFC 8259 section 7).
struct JSONString {
    /// As written, escapes and all.
    let content: UnsafeRawBufferPointer

    /// `text` is a string with its quotes.
    init(_ text: UnsafeRawBufferPointer) {
        content = UnsafeRawBufferPointer(rebasing: text[1..<text.count - 1])
    }

    var hasEscapes: Bool { content.contains(UInt8(ascii: "\\")) }

    /// The bytes of a character that was written as an escape.
    private struct Escape {
        /// UTF-8, the first byte lowest.
        var bytes: UInt32
        var count: Int
        /// Half of a surrogate pair without its other half, which is no character and equals none.
        var isLoneSurrogate = false
    }

    /// The byte that a backslash and this letter stand for; nil if the two are no escape.
    static func escaped(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// True if the decoded content is these bytes.
    func equals(_ expected: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        var matched = 0
        while index < content.count {
            var (bytes, count) = (UInt32(content[index]), 1)
            if content[index] == UInt8(ascii: "\\") {
                let escape = readEscape(at: &index)
                if escape.isLoneSurrogate { return false }
                (bytes, count) = (escape.bytes, escape.count)
            } else {
                index &+= 1
            }
            guard count <= expected.count &- matched else { return false }
            for _ in 0..<count {
                guard expected[matched] == UInt8(truncatingIfNeeded: bytes) else { return false }
                bytes &>>= 8
                matched &+= 1
            }
        }
        return matched == expected.count
    }

    var decoded: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: content.count) { buffer, count in
            if let base = buffer.baseAddress { count = decode(to: base) }
        }
    }

    /// Writes the decoded content to where there is room for as many bytes as it is written with, and gives its length. A lone surrogate becomes three bytes that
    /// are no UTF-8.
    func decode(to destination: UnsafeMutableRawPointer) -> Int {
        var index = 0
        var written = 0
        while index < content.count {
            guard content[index] == UInt8(ascii: "\\") else {
                destination.storeBytes(of: content[index], toByteOffset: written, as: UInt8.self)
                index &+= 1
                written &+= 1
                continue
            }
            var escape = readEscape(at: &index)
            for _ in 0..<escape.count {
                destination.storeBytes(of: UInt8(truncatingIfNeeded: escape.bytes), toByteOffset: written, as: UInt8.self)
                escape.bytes &>>= 8
                written &+= 1
            }
        }
        return written
    }

    /// Reads the escape whose backslash stands at `index`, and moves behind it.
    private func readEscape(at index: inout Int) -> Escape {
        if let byte = Self.escaped(content[index &+ 1]) {
            index &+= 2
            return Escape(bytes: UInt32(byte), count: 1)
        }
        let unit = codeUnit(at: index &+ 2)
        index &+= 6
        guard unit & 0xF800 == 0xD800 else { return Self.encoded(unit) }
        if unit < 0xDC00, index &+ 6 <= content.count, content[index] == UInt8(ascii: "\\"), content[index &+ 1] == UInt8(ascii: "u") {
            let low = codeUnit(at: index &+ 2)
            if low & 0xFC00 == 0xDC00 {
                index &+= 6
                return Self.encoded(0x10000 &+ (unit & 0x3FF) &<< 10 &+ (low & 0x3FF))
            }
        }
        var half = Self.encoded(unit)
        half.isLoneSurrogate = true
        return half
    }

    /// The value of four hexadecimal digits.
    private func codeUnit(at start: Int) -> UInt32 {
        var unit: UInt32 = 0
        for offset in 0..<4 {
            unit = unit &<< 4 | UInt32(ASCII.hexDigit(content[start &+ offset]) ?? 0)
        }
        return unit
    }

    private static func encoded(_ codePoint: UInt32) -> Escape {
        func continuation(_ shift: UInt32) -> UInt32 { 0x80 | (codePoint &>> shift & 0x3F) }
        return switch codePoint {
        case ..<0x80: Escape(bytes: codePoint, count: 1)
        case ..<0x800: Escape(bytes: 0xC0 | codePoint &>> 6 | continuation(0) &<< 8, count: 2)
        case ..<0x10000: Escape(bytes: 0xE0 | codePoint &>> 12 | continuation(6) &<< 8 | continuation(0) &<< 16, count: 3)
        default:
            Escape(bytes: 0xF0 | codePoint &>> 18 | continuation(12) &<< 8 | continuation(6) &<< 16 | continuation(0) &<< 24, count: 4)
        }
    }
}
