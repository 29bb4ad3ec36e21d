import Testing
import WebSocket

struct RetryAfterTests {
    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 section 5.6.7.
    private static let example: Int64 = 784_111_777

    private func parse(_ value: String, at now: Int64 = example - 10) -> UInt64? {
        RetryAfter.milliseconds(bytes(value)[...], unixTime: now)
    }

    @Test(
        arguments: [
            ("0", 0), ("120", 120_000), ("007", 7000), ("1000000000", 1_000_000_000_000),
            // What is too large even for that is as long as a delay can be.
            ("253402300800", 1_000_000_000_000), ("18446744073709551615", 1_000_000_000_000),
            ("99999999999999999999999999", 1_000_000_000_000),
            // Larger numbers are unix time.
            ("1000000001", (1_000_000_001 - 784_111_767) * 1000), ("253402300799", (253_402_300_799 - 784_111_767) * 1000),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 10_000), ("Sunday, 06-Nov-94 08:49:37 GMT", 10_000), ("Sun Nov  6 08:49:37 1994", 10_000),
            ("Sun Nov 06 08:49:37 1994", 10_000), ("Mon, 06 Nov 1994 08:49:60 GMT", 33_000), ("Sun, 06 Nov 1994 08:49:27 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:26 GMT", 0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Mon, 07 Nov 1994 08:49:27 GMT", 86_400_000),
        ] as [(String, UInt64)])
    func readsDelaysAndDates(value: String, expected: UInt64) {
        #expect(parse(value) == expected)
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "1.5", "1s", "0x10", "12 0", "soon",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "sun, 06 nov 1994 08:49:37 gmt", "Sun 06 Nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 32 Dec 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 01994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 8:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov 1994 08:49:37:00 GMT", "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 29 Feb 1994 08:49:37 GMT",
        "Sun, 06 11 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-94-1 08:49:37 GMT",
        "Sunday, 06-Nov 08:49:37 GMT", "Sun Nov 31 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun, Nov  6 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT", ", , , , ,", "- - - -",
    ])
    func ignoresWhatIsNeither(value: String) {
        #expect(parse(value) == nil)
    }

    @Test(
        arguments: [
            ("Sat, 29 Feb 2020 12:00:00 GMT", 1_582_977_600), ("Mon, 28 Feb 2000 23:59:59 GMT", 951_782_399),
            ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400), ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400), ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 946_684_799), ("Thu, 01 Jan 1970 00:00:01 GMT", 1),
        ] as [(String, UInt64)])
    func knowsTheCalendar(value: String, unixTime: UInt64) {
        #expect(parse(value, at: 0) == unixTime * 1000)
    }

    @Test func doesNotKnowLeapYearsThatAreNone() {
        #expect(parse("Mon, 29 Feb 2100 00:00:00 GMT", at: 0) == nil)
    }

    /// RFC 9110 section 5.6.7: what seems more than 50 years ahead is in the past.
    @Test func placesYearsOfTwoDigits() {
        let inTheYear2026: Int64 = 1_767_225_600
        #expect(parse("Thursday, 01-Jan-26 00:01:40 GMT", at: inTheYear2026) == 100_000)
        #expect(parse("Friday, 01-Jan-27 00:00:00 GMT", at: inTheYear2026) == 31_536_000_000)
        #expect(parse("Wednesday, 01-Jan-76 00:00:00 GMT", at: inTheYear2026) == 1_577_836_800_000)
        #expect(parse("Thursday, 01-Jan-77 00:00:00 GMT", at: inTheYear2026) == 0)
        #expect(parse("Thursday, 01-Jan-98 00:00:00 GMT", at: inTheYear2026) == 0)
    }

    @Test(arguments: [Int64.min, -1, 0, .max]) func survivesAnyClock(now: Int64) {
        for value in ["0", "5", "1000000001", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"] {
            let delay = parse(value, at: now) ?? 0
            #expect(delay % 1000 == 0 && delay <= 253_402_300_799_000)
        }
    }

    @Test(arguments: 0..<300) func survivesBrokenDates(seed: UInt64) {
        var random = TestRandom(seed: seed)
        let forms = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "1234567890123"]
        var value = bytes(forms[Int(seed % 4)])
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            value[Int.random(in: 0..<value.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        _ = RetryAfter.milliseconds(value[...], unixTime: Self.example)
    }
}
