import CHeartwire
import WebSocket

/// A property's value, parsed and checked once.
enum PropertyValue {
    case boolean(Bool)
    /// Integers, milliseconds and bytes.
    case number(Int64)
    case choice(Int)
    case bytes([UInt8])

    /// Longest text or bytes value.
    static let sizeMax = 65536

    /// Longest PEM value: room for any bundle of authorities.
    static let pemSizeMax = 4 << 20

    /// Reads `text` as the property's kind wants it; nil if it does not fit.
    init?(_ text: [UInt8], for property: Property) {
        switch property.kind {
        case .boolean:
            guard let value = [false, true].first(where: { Self.word($0).elementsEqual(text) }) else { return nil }
            self = .boolean(value)
        case .integer(let range):
            guard let value = Self.number(text, units: []), range.contains(value) else { return nil }
            self = .number(value)
        case .duration(let range):
            guard let value = Self.number(text, units: Self.durationUnits), range.contains(value) else { return nil }
            self = .number(value)
        case .size(let range):
            guard let value = Self.number(text, units: Self.sizeUnits), range.contains(value) else { return nil }
            self = .number(value)
        case .choice:
            guard let index = property.words.firstIndex(of: text) else { return nil }
            self = .choice(index)
        case .text:
            guard text.count <= Self.sizeMax, text.withUnsafeBytes({ UTF8Validator.isValid($0) }) else { return nil }
            self = .bytes(text)
        case .bytes:
            guard text.count <= Self.sizeMax else { return nil }
            self = .bytes(text)
        case .pem:
            guard text.count <= Self.pemSizeMax else { return nil }
            self = .bytes(text)
        }
    }

    /// In the form that `init` reads.
    func text(for property: Property) -> [UInt8] {
        switch self {
        case .boolean(let value): Self.word(value)
        case .number(let value): Self.text(value, property.kind)
        case .choice(let index): property.words[index]
        case .bytes(let bytes): bytes
        }
    }

    private static func word(_ value: Bool) -> [UInt8] { ASCII.bytes(value ? "true" : "false") }

    private static let durationUnits: [(suffix: StaticString, factor: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
    ]
    private static let sizeUnits: [(suffix: StaticString, factor: Int64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1),
    ]

    /// Digits and one of the units; a bare zero needs none.
    private static func number(_ text: [UInt8], units: [(suffix: StaticString, factor: Int64)]) -> Int64? {
        let digits = text.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let value = ASCII.decimal(digits, max: UInt64(Int64.max)).map({ Int64($0) }) else { return nil }
        let suffix = text[digits.endIndex...]
        if suffix.isEmpty && (units.isEmpty || value == 0) { return value }
        guard let unit = units.first(where: { suffix.elementsEqual(ASCII.bytes($0.suffix)) }) else { return nil }
        let (product, overflow) = value.multipliedReportingOverflow(by: unit.factor)
        return overflow ? nil : product
    }

    private static func text(_ value: Int64, _ kind: Property.Kind) -> [UInt8] {
        let units: [(suffix: StaticString, factor: Int64)]
        switch kind {
        case .duration: units = durationUnits
        case .size: units = sizeUnits
        case .boolean, .integer, .choice, .text, .bytes, .pem: units = []
        }
        // The largest unit that divides the value.
        var best: (suffix: StaticString, factor: Int64) = ("", 1)
        for unit in units where value > 0 && value % unit.factor == 0 && unit.factor >= best.factor { best = unit }
        return String(value / best.factor).bytes + ASCII.bytes(best.suffix)
    }
}
