/// A decimal number as RFC 8259 section 6 writes it, but with any number of leading zeros. Digits that cannot show in 64 bits are dropped.
struct DecimalText {
    private var isNegative = false
    private var mantissa: UInt64 = 0
    private var exponent = 0

    /// Has nineteen digits, as the largest result.
    private static let full: UInt64 = 1_000_000_000_000_000_000

    /// Nil if the text is anything else.
    init?(_ text: UnsafeRawBufferPointer) {
        var cursor = TextCursor(text)
        isNegative = cursor.take(0x2D)
        guard takeDigits(&cursor, areFraction: false) else { return nil }
        if cursor.take(0x2E) {
            guard takeDigits(&cursor, areFraction: true) else { return nil }
        }
        if cursor.take(0x65) || cursor.take(0x45) {
            guard takeExponent(&cursor) else { return nil }
        }
        guard cursor.isAtEnd else { return nil }
    }

    /// The number times a power of ten, rounded towards zero; nil if 64 bits cannot hold it.
    func value(timesTenTo scale: Int) -> Int64? {
        var value = mantissa
        var power = exponent + scale
        // Both loops are short: a number of 64 bits has twenty digits to lose or to gain.
        while power < 0 && value > 0 {
            value /= 10
            power += 1
        }
        while power > 0 && value > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
            power -= 1
        }
        guard let magnitude = Int64(exactly: value) else { return nil }
        return isNegative ? -magnitude : magnitude
    }

    /// The text may stand within quotes, as peers write numbers too.
    init?(quotable text: [UInt8]) {
        let isQuoted = text.count >= 2 && text.first == 0x22 && text.last == 0x22
        let number = text.withUnsafeBytes { bytes in
            DecimalText(isQuoted ? UnsafeRawBufferPointer(rebasing: bytes[1..<(bytes.count - 1)]) : bytes)
        }
        guard let number else { return nil }
        self = number
    }

    /// The number times `unit`, rounded once for all lengths of time that matter; infinite if no number is near.
    func scaled(by unit: Double) -> Double {
        var power = 1.0
        // A Double has no more than 308 digits before the point, and loses what is beyond as many behind it.
        for _ in 0..<min(exponent.magnitude, 400) { power *= 10 }
        let magnitude = exponent < 0 ? Double(mantissa) * unit / power : mantissa == 0 ? 0 : Double(mantissa) * unit * power
        return isNegative ? -magnitude : magnitude
    }

    /// False if there is not a single one.
    private mutating func takeDigits(_ cursor: inout TextCursor, areFraction: Bool) -> Bool {
        guard var digit = cursor.takeDigit() else { return false }
        while true {
            let isDropped = mantissa >= Self.full
            if !isDropped { mantissa = mantissa * 10 + UInt64(digit) }
            if areFraction != isDropped { exponent += areFraction ? -1 : 1 }
            guard let next = cursor.takeDigit() else { return true }
            digit = next
        }
    }

    private mutating func takeExponent(_ cursor: inout TextCursor) -> Bool {
        let isNegative = cursor.take(0x2D)
        if !isNegative { _ = cursor.take(0x2B) }
        guard var digit = cursor.takeDigit() else { return false }
        var written = 0
        while true {
            // More than any text has digits to make up for.
            written = min(written * 10 + Int(digit), 1 << 48)
            guard let next = cursor.takeDigit() else { break }
            digit = next
        }
        exponent += isNegative ? -written : written
        return true
    }
}
