/// The text of a JSON number taken apart (RFC 8259 section 6): 0.digits times ten to the power of `pointPlace` plus the exponent. Nothing is
/// converted, so numbers of any length and any exponent compare exactly.
struct JSONNumber {
    private let isNegative: Bool
    /// From the first digit that is not zero on; a decimal point may stand among them. Empty if the number is zero.
    private let digits: UnsafeRawBufferPointer
    private let pointPlace: Int
    private let exponent: UnsafeRawBufferPointer
    private let exponentIsNegative: Bool

    /// `text` is a valid number.
    init(_ text: UnsafeRawBufferPointer) {
        let isNegative = text.first == UInt8(ascii: "-")
        let end = text.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? text.count
        let mantissa = UnsafeRawBufferPointer(rebasing: text[(isNegative ? 1 : 0)..<end])
        let point = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissa.count
        let first = mantissa.firstIndex { $0 != UInt8(ascii: "0") && $0 != UInt8(ascii: ".") } ?? mantissa.count
        let signs = text[end...].dropFirst().prefix { !JSONText.isDigit($0) }
        self.isNegative = isNegative
        digits = UnsafeRawBufferPointer(rebasing: mantissa[first...])
        pointPlace = first < point ? point &- first : point &- first &+ 1
        exponent = UnsafeRawBufferPointer(rebasing: text[signs.endIndex...])
        exponentIsNegative = signs.first == UInt8(ascii: "-")
    }

    /// Negative, zero or positive, as the number is less than the other, equal or greater.
    func compared(to other: JSONNumber) -> Int {
        if sign != other.sign { return sign &- other.sign }
        let difference = exponentDifference(from: other) &+ pointPlace &- other.pointPlace
        return sign &* (difference != 0 ? difference.signum() : digitDifference(from: other))
    }

    private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

    /// This exponent minus the other. What lies beyond any length of digits is cut off there: once the difference of the leading digits is more
    /// than two, the digits behind cannot bring it back.
    private func exponentDifference(from other: JSONNumber) -> Int {
        let limit = 1 << 56
        let length = max(exponent.count, other.exponent.count)
        var difference = 0
        for place in 0..<length {
            let step = exponentDigit(place, of: length) &- other.exponentDigit(place, of: length)
            difference = min(max(difference &* 10 &+ step, -limit), limit)
        }
        return difference
    }

    /// A digit of the exponent, with its sign, as if the exponent were written with `length` digits.
    private func exponentDigit(_ place: Int, of length: Int) -> Int {
        let index = place &- (length &- exponent.count)
        guard index >= 0 else { return 0 }
        let digit = Int(exponent[index] &- UInt8(ascii: "0"))
        return exponentIsNegative ? -digit : digit
    }

    private func digitDifference(from other: JSONNumber) -> Int {
        var (index, otherIndex) = (0, 0)
        while index < digits.count || otherIndex < other.digits.count {
            let digit = nextDigit(&index)
            let otherDigit = other.nextDigit(&otherIndex)
            if digit != otherDigit { return digit < otherDigit ? -1 : 1 }
        }
        return 0
    }

    /// The next digit; zero behind the last one.
    private func nextDigit(_ index: inout Int) -> UInt8 {
        if index < digits.count, digits[index] == UInt8(ascii: ".") { index &+= 1 }
        guard index < digits.count else { return UInt8(ascii: "0") }
        defer { index &+= 1 }
        return digits[index]
    }
}

/// A number to compare with, of any size and precision.
package struct JSONDecimal {
    private let text: [UInt8]

    /// Nil if the text is no JSON number.
    package init?(_ text: [UInt8]) {
        guard text.withUnsafeBytes({ JSONText.isNumber($0) }) else { return nil }
        self.text = text
    }

    /// How the number whose text is given compares: negative if it is less than this one, zero if equal, positive if greater.
    package func comparison(of number: UnsafeRawBufferPointer) -> Int {
        text.withUnsafeBytes { JSONNumber(number).compared(to: JSONNumber($0)) }
    }
}
