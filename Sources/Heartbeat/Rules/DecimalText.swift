/// A number as a peer writes it, in decimal and possibly within quotes: digits, with sign, fraction and exponent where it has them.
struct DecimalText {
    private let isNegative: Bool
    private let digits: UInt64
    /// The power of ten that the digits are multiplied with.
    private let exponent: Int

    /// More digits than this make no difference to a length of time.
    private static let digitsMax: UInt64 = 1_000_000_000_000_000
    private static let exponentMax = 400

    init?(_ text: some Collection<UInt8>) {
        var rest = Self.unquoted(text[...])
        isNegative = rest.first == 0x2D
        if isNegative { rest.removeFirst() }
        guard let first = rest.first, Self.digit(first) != nil else { return nil }
        var digits: UInt64 = 0
        var exponent = 0
        var isFraction = false
        while let byte = rest.first {
            if byte == 0x2E, !isFraction {
                isFraction = true
                rest.removeFirst()
                guard let next = rest.first, Self.digit(next) != nil else { return nil }
                continue
            }
            guard let digit = Self.digit(byte) else { break }
            rest.removeFirst()
            if digits < Self.digitsMax {
                digits = digits &* 10 &+ digit
                if isFraction { exponent &-= 1 }
            } else if !isFraction {
                exponent &+= 1
            }
        }
        guard let written = Self.exponent(rest) else { return nil }
        self.digits = digits
        self.exponent = max(-Self.exponentMax, min(Self.exponentMax, exponent &+ written))
    }

    /// The nearest representable number; infinite if there is none.
    var value: Double { scaled(by: 1) }

    /// The number times `unit`, rounded once for all lengths of time that matter.
    func scaled(by unit: Double) -> Double {
        var power = 1.0
        for _ in 0..<abs(exponent) { power *= 10 }
        let magnitude = exponent < 0 ? Double(digits) * unit / power : Double(digits) * unit * power
        return isNegative ? -magnitude : magnitude
    }

    /// What follows the digits; nil if that is no exponent.
    private static func exponent(_ text: some Collection<UInt8>) -> Int? {
        guard let mark = text.first else { return 0 }
        guard mark == 0x65 || mark == 0x45 else { return nil }
        var rest = text.dropFirst()
        let isNegative = rest.first == 0x2D
        if isNegative || rest.first == 0x2B { rest = rest.dropFirst() }
        guard !rest.isEmpty else { return nil }
        var exponent = 0
        for byte in rest {
            guard let digit = digit(byte) else { return nil }
            exponent = min(exponentMax, exponent &* 10 &+ Int(digit))
        }
        return isNegative ? -exponent : exponent
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        byte >= 0x30 && byte <= 0x39 ? UInt64(byte &- 0x30) : nil
    }

    private static func unquoted<Text: Collection<UInt8>>(_ text: Text) -> Text.SubSequence {
        text.count >= 2 && text.first == 0x22 && text.suffix(1).first == 0x22 ? text.dropFirst().prefix(text.count - 2) : text[...]
    }
}
