/// Reads ASCII text from its front, never beyond its end.
struct TextCursor {
    private let text: UnsafeRawBufferPointer
    private var index = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { index >= text.count }

    /// Moves past the byte if it is next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard !isAtEnd && text[index] == byte else { return false }
        index += 1
        return true
    }

    mutating func takeDigit() -> UInt8? {
        guard !isAtEnd && text[index] >= 0x30 && text[index] <= 0x39 else { return nil }
        defer { index += 1 }
        return text[index] - 0x30
    }

    /// The number that exactly so many digits stand for.
    mutating func takeDigits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let digit = takeDigit() else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }
}
