import Heartbeat
import Testing

struct DecimalTextTests {
    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("1", 1_000_000_000), ("-1", -1_000_000_000), ("007", 7_000_000_000),
            ("1687552286.122969572", 1_687_552_286_122_969_572), ("1687552286.5", 1_687_552_286_500_000_000),
            ("1.687552286e9", 1_687_552_286_000_000_000), ("1687552286E0", 1_687_552_286_000_000_000),
            ("16875522861e-1", 1_687_552_286_100_000_000), ("0.1e+1", 1_000_000_000), ("100e-2", 1_000_000_000),
            ("1.9999999999", 1_999_999_999), ("-1.9999999999", -1_999_999_999), ("0.0000000009", 0),
            ("1e-400", 0), ("1e-99999999999999999999999", 0), ("0e99999999999999999999999", 0), ("0.000e400", 0),
            ("9223372036.854775807", .max), ("-9223372036.854775807", -.max), ("9223372036854775807e-9", .max),
            ("9223372036.8547758079999", .max),
        ] as [(String, Int64)])
    func secondsBecomeNanoseconds(text: String, expected: Int64) {
        #expect(unixNanoseconds(text, .seconds) == expected)
    }

    @Test(arguments: [
        "9223372036.854775808", "9223372037", "1e10", "18446744073709551615", "18446744073709551616", "99999999999999999999999999999",
        "1e400", "-1e400", "1e9223372036854775807", "1e99999999999999999999999",
    ])
    func whatSixtyFourBitsCannotHoldIsRefused(text: String) {
        #expect(unixNanoseconds(text, .seconds) == nil)
    }

    @Test(arguments: [
        "-", "+1", ".5", "5.", "-.5", "1.e5", "1e", "1e+", "1e-", "e5", "1e5.0", "1.5.5", "1_000", "0x10", "1,5", "--1", "1:", "1/", "1.:",
        "1e:", "1-", "NaN",
        "Infinity", "1\0",
        "１",
    ])
    func malformedNumbersAreRefused(text: String) {
        #expect(unixNanoseconds(text, .seconds) == nil)
        #expect(unixNanoseconds(text, .nanoseconds) == nil)
    }

    /// The same number, written with more and more zeros before, behind and in the exponent.
    @Test func lengthDoesNotMatter() {
        for zeros in [1, 18, 19, 20, 21, 300, 5000] {
            let padding = String(repeating: "0", count: zeros)
            #expect(unixNanoseconds(padding + "1687552286", .seconds) == 1_687_552_286_000_000_000)
            #expect(unixNanoseconds("1687552286." + padding, .seconds) == 1_687_552_286_000_000_000)
            #expect(unixNanoseconds("1687552286" + padding + "e-\(zeros)", .seconds) == 1_687_552_286_000_000_000)
            #expect(unixNanoseconds("0." + padding + "1687552286e\(zeros + 10)", .seconds) == 1_687_552_286_000_000_000)
            #expect(unixNanoseconds("1687552286e" + padding, .seconds) == 1_687_552_286_000_000_000)
        }
    }

    /// All digits of a number of 64 bits count, wherever its point stands.
    @Test func everyPlaceOfThePointIsExact() {
        let digits = "9223372036854775807"
        for place in 1..<digits.count {
            let split = digits.index(digits.startIndex, offsetBy: place)
            let text = digits[..<split] + "." + digits[split...] + "e\(digits.count - place)"
            #expect(unixNanoseconds(String(text), .nanoseconds) == .max)
            #expect(unixNanoseconds("-" + text + "", .nanoseconds) == -.max)
        }
    }

    @Test func droppedDigitsKeepTheirPlace() {
        #expect(unixNanoseconds("18446744073709551617.0e-5", .nanoseconds) == 184_467_440_737_095)
        #expect(unixNanoseconds("12345678901234567890123456789e-10", .nanoseconds) == 1_234_567_890_123_456_789)
        #expect(unixNanoseconds("12345678901234567890123456789.99e-10", .nanoseconds) == 1_234_567_890_123_456_789)
    }
}
