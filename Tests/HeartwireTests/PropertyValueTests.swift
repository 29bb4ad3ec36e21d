import Testing

@testable import Heartwire

struct PropertyValueTests {
    private func property(_ kind: Property.Kind) -> Property {
        Property(id: .pingInterval, name: "x", kind: kind, defaultValue: "", range: "one | two", unit: "", doc: "")
    }

    private func number(_ text: [UInt8], _ kind: Property.Kind) -> Int64? {
        if case .number(let value)? = PropertyValue(text, for: property(kind)) { value } else { nil }
    }

    private func text(_ input: String, _ kind: Property.Kind) -> String? {
        PropertyValue(bytes(input), for: property(kind)).map { String(decoding: $0.text(for: property(kind)), as: UTF8.self) }
    }

    @Test(
        arguments: [
            ("0", 0), ("0ms", 0), ("0s", 0), ("1ms", 1), ("250ms", 250), ("20s", 20_000), ("5m", 300_000), ("24h", 86_400_000),
            ("007s", 7000),
            ("1", nil), ("", nil), ("s", nil), ("-1s", nil), ("1.5s", nil), ("1 s", nil), (" 1s", nil), ("1S", nil), ("1d", nil),
            ("1ss", nil),
            ("25h", nil), ("86400001ms", nil), ("9223372036854775807h", nil), ("144115188075855872h", nil), ("99999999999999999999s", nil),
            ("1us", nil),
        ] as [(String, Int64?)])
    func readsDurations(input: String, milliseconds: Int64?) {
        #expect(number(bytes(input), .duration(0...86_400_000)) == milliseconds)
    }

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("1000", 1000), ("64KiB", 65536), ("16MiB", 16 << 20), ("1GiB", 1 << 30), ("1073741824", 1 << 30),
            ("2GiB", nil), ("1KB", nil), ("1kib", nil), ("KiB", nil), ("9223372036854775807GiB", nil), ("17179869185GiB", nil), ("-1", nil),
            ("1B", nil),
            ("1 KiB", nil),
        ] as [(String, Int64?)])
    func readsSizes(input: String, size: Int64?) {
        #expect(number(bytes(input), .size(0...1 << 30)) == size)
    }

    @Test(
        arguments: [("1", 1), ("10", 10), ("0", nil), ("11", nil), ("1s", nil), ("", nil), ("+1", nil), ("0x1", nil)] as [(String, Int64?)])
    func readsIntegersInTheirRange(input: String, value: Int64?) {
        #expect(number(bytes(input), .integer(1...10)) == value)
    }

    @Test(arguments: [
        ("1000ms", "1s"), ("60s", "1m"), ("90s", "90s"), ("3600s", "1h"), ("1500ms", "1500ms"), ("0s", "0"), ("1440m", "24h"),
        ("1ms", "1ms"),
    ])
    func writesDurationsInTheLargestUnitThatFits(input: String, output: String) {
        #expect(text(input, .duration(0...86_400_000)) == output)
    }

    @Test(arguments: [("1024", "1KiB"), ("1025", "1025"), ("1024KiB", "1MiB"), ("1536KiB", "1536KiB"), ("1024MiB", "1GiB"), ("1", "1")])
    func writesSizesInTheLargestUnitThatFits(input: String, output: String) {
        #expect(text(input, .size(0...1 << 30)) == output)
    }

    @Test func readsWhatItWrites() {
        for value in [0, 1, 999, 1000, 1001, 59_999, 60_000, 3_600_000, 7_200_001, 86_400_000] as [Int64] {
            let duration = Property.Kind.duration(0...86_400_000)
            #expect(number(PropertyValue.number(value).text(for: property(duration)), duration) == value)
        }
        for value in [1, 1023, 1024, 65536, 65537, 1 << 20, 1 << 30] as [Int64] {
            let size = Property.Kind.size(1...1 << 30)
            #expect(number(PropertyValue.number(value).text(for: property(size)), size) == value)
        }
    }

    @Test(
        arguments: [
            ("true", "true"), ("false", "false"), ("TRUE", nil), ("False", nil), ("1", nil), ("yes", nil), ("", nil),
        ] as [(String, String?)])
    func readsBooleans(input: String, output: String?) {
        #expect(text(input, .boolean) == output)
    }

    @Test(
        arguments: [("one", "one"), ("two", "two"), ("One", nil), ("", nil), ("three", nil), ("on", nil), ("|", nil)] as [(String, String?)]
    )
    func readsChoices(input: String, output: String?) {
        #expect(text(input, .choice) == output)
    }

    @Test func takesTextThatIsUTF8AndAnyBytes() {
        #expect(text("gr\u{FC}n", .text) == "gr\u{FC}n")
        #expect(PropertyValue([0xFF], for: property(.text)) == nil)
        #expect(PropertyValue([0xFF], for: property(.bytes))?.text(for: property(.bytes)) == [0xFF])
        let limits = [(Property.Kind.text, PropertyValue.sizeMax), (.bytes, PropertyValue.sizeMax), (.pem, PropertyValue.pemSizeMax)]
        for (kind, sizeMax) in limits {
            #expect(PropertyValue([UInt8](repeating: 0x61, count: sizeMax), for: property(kind)) != nil)
            #expect(PropertyValue([UInt8](repeating: 0x61, count: sizeMax + 1), for: property(kind)) == nil)
        }
    }
}
