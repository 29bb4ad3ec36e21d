import Foundation
import Heartbeat
import Testing

struct CalendarTimeTests {
    private static let second: Int64 = 1_000_000_000

    private func parse(_ text: String) -> Int64? { unixNanoseconds(text, .iso8601) }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:01Z", 1), ("1969-12-31T23:59:59Z", -1), ("2000-02-29T12:00:00Z", 951_825_600),
            ("2001-09-09T01:46:40Z", 1_000_000_000), ("2009-02-13T23:31:30Z", 1_234_567_890), ("2038-01-19T03:14:07Z", 2_147_483_647),
            ("2023-06-23T20:31:26Z", 1_687_552_286), ("2100-03-01T00:00:00Z", 4_107_542_400), ("1900-03-01T00:00:00Z", -2_203_891_200),
            ("2262-01-01T00:00:00Z", 9_214_646_400), ("1700-03-01T00:00:00Z", -8_515_238_400),
        ] as [(String, Int64)])
    func knownDates(text: String, seconds: Int64) {
        #expect(parse(text) == seconds * Self.second)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000+00:00"), (-1, "1969-12-31T23:59:59.999+00:00"), (951_825_600_123, "2000-02-29T12:00:00.123+00:00"),
            (1_735_689_599_999, "2024-12-31T23:59:59.999+00:00"), (4_107_542_399_000, "2100-02-28T23:59:59.000+00:00"),
            (.max, "9999-12-31T23:59:59.999+00:00"), (.min, "0000-01-01T00:00:00.000+00:00"),
        ] as [(Int64, String)])
    func writes(unixMilliseconds: Int64, text: String) {
        #expect(String(decoding: CalendarTime.text(unixMilliseconds: unixMilliseconds), as: UTF8.self) == text)
    }

    /// Every day of four centuries, after which the calendar begins anew.
    @Test func readsWhatItWrites() {
        for day in stride(from: Int64(-200_000), to: 60_000, by: 1) {
            let milliseconds = day * 86_400_000 + 12_345_678
            guard abs(milliseconds) < 9_000_000_000_000 else { continue }
            #expect(parse(String(decoding: CalendarTime.text(unixMilliseconds: milliseconds), as: UTF8.self)) == milliseconds * 1_000_000)
        }
    }

    @Test(arguments: [
        "2023-06-23T20:31:26.122969572Z", "2023-06-23t20:31:26.122969572z", "2023-06-23 20:31:26.122969572Z",
        "2023-06-23T20:31:26.122969572",
        "2023-06-23 20:31:26.122969572", "2023-06-23T20:31:26,122969572Z", "2023-06-23T20:31:26.122969572999999Z",
        "2023-06-23T20:31:26.122969572+00:00", "2023-06-23T20:31:26.122969572-00:00", "2023-06-23T22:31:26.122969572+02:00",
        "2023-06-23T22:31:26.122969572+0200", "2023-06-23T22:31:26.122969572+02", "2023-06-24T02:16:26.122969572+05:45",
        "2023-06-23T16:31:26.122969572-04:00", "2023-06-23T00:01:26.122969572-20:30", "2023-06-24T20:30:26.122969572+23:59",
    ])
    func theSameMomentInManyForms(text: String) {
        #expect(parse(text) == 1_687_552_286_122_969_572)
    }

    @Test func fractionsHaveAnyLength() {
        #expect(parse("1970-01-01T00:00:00.1Z") == 100_000_000)
        #expect(parse("1970-01-01T00:00:00.12Z") == 120_000_000)
        #expect(parse("1970-01-01T00:00:00.000000001Z") == 1)
        #expect(parse("1970-01-01T00:00:00.0000000019Z") == 1)
        #expect(parse("1970-01-01T00:00:00." + String(repeating: "9", count: 5000) + "Z") == 999_999_999)
        #expect(parse("1969-12-31T23:59:59.25Z") == -750_000_000)
    }

    @Test func secondsMayBeMissing() {
        #expect(parse("1970-01-01T00:01Z") == 60 * Self.second)
        #expect(parse("1970-01-01T01:01+01:00") == 60 * Self.second)
    }

    @Test(arguments: [
        "2016-12-31T23:59:60Z", "2017-01-01T00:59:60+01:00", "2016-12-31T15:59:60-08:00", "2016-12-31 23:59:60", "2017-01-01T00:00:00Z",
    ])
    func aLeapSecondIsTheSecondAfterIt(text: String) {
        #expect(parse(text) == 1_483_228_800 * Self.second)
    }

    @Test(arguments: ["2016-12-31T23:58:60Z", "2016-12-31T12:59:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z"])
    func aLeapSecondElsewhereIsRefused(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [
        "2023-00-01T00:00:00Z", "2023-13-01T00:00:00Z", "2023-01-00T00:00:00Z", "2023-01-32T00:00:00Z", "2023-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2023-04-31T00:00:00Z", "2023-06-31T00:00:00Z",
        "2023-09-31T00:00:00Z", "2023-11-31T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:99Z",
        "2023-01-01T00:00:00+24:00", "2023-01-01T00:00:00+00:60",
    ])
    func datesAndTimesThatDoNotExistAreRefused(text: String) {
        #expect(parse(text) == nil)
    }

    @Test(arguments: [
        "2023", "2023-06", "2023-06-23", "2023-06-23T", "2023-06-23T20", "2023-06-23T20:", "2023-06-23T20:3", "2023-06-23T20:31:",
        "2023-06-23T20:31:2", "2023-06-23T20:31:26.", "2023-06-23T20:31:26.Z", "2023-06-23T20:31:26+", "2023-06-23T20:31:26+1",
        "2023-06-23T20:31:26+01:", "2023-06-23T20:31:26+01:0", "2023-06-23T20:31:26ZZ", "2023-06-23T20:31:26 Z", "2023-06-23T20:31:26UTC",
        "2023-06-23_20:31:26Z", "2023/06/23T20:31:26Z", "20230623T203126Z", "23-06-23T20:31:26Z", "-2023-06-23T20:31:26Z",
        "+2023-06-23T20:31:26Z", "12023-06-23T20:31:26Z", "2023-6-23T20:31:26Z", "2023-06-23T20:31:26.1.1Z", "2023-06-23T2a:31:26Z",
        "1687552286", "2023-06-23T20:31:26Z\0", "2023-06-2:T20:31:26Z", "2023-06-23T20:31:26.1/Z", "２023-06-23T20:31:26Z",
    ])
    func otherFormsAreRefused(text: String) {
        #expect(parse(text) == nil)
    }

    @Test func everyPrefixIsRefusedOrATime() {
        let text = "2023-06-23T20:31:26.122969572+02:00"
        // After minutes, seconds, any digit of the fraction, the offset's hours and its minutes.
        let times = Set([16, 19, 32, 35] + (21...29))
        for length in 0...text.utf8.count {
            #expect((parse(String(text.prefix(length))) != nil) == times.contains(length), "\(text.prefix(length))")
        }
    }

    @Test(
        arguments: [
            ("2262-04-11T23:47:16.854775807Z", .max), ("2262-04-11T23:47:16.854775808Z", nil), ("2262-04-11T23:47:17Z", nil),
            ("1677-09-21T00:12:44Z", -9_223_372_036_000_000_000), ("1677-09-21T00:12:43Z", nil), ("0000-01-01T00:00:00Z", nil),
            ("0000-02-29T00:00:00Z", nil), ("0001-01-01T00:00:00+23:59", nil), ("9999-12-31T23:59:59Z", nil),
        ] as [(String, Int64?)])
    func whatSixtyFourBitsCannotHoldIsRefused(text: String, expected: Int64?) {
        #expect(parse(text) == expected)
    }

    /// Day by day: the first day that is refused in a month follows its last one, and every day is one later than the one before it.
    @Test func everyDayFrom1970To2262FollowsTheOneBeforeIt() {
        var expected: Int64 = 0
        for year in 1970..<2262 {
            for month in 1...12 {
                var isAccepted = true
                for day in 1...31 {
                    let text = String(format: "%04d-%02d-%02dT00:00:00Z", year, month, day)
                    guard let time = parse(text) else {
                        #expect(day > 28, "\(text)")
                        isAccepted = false
                        continue
                    }
                    #expect(isAccepted && time == expected * 86_400 * Self.second, "\(text)")
                    expected += 1
                }
            }
        }
        #expect(expected == 292 * 365 + 71)
    }

    @Test func agreesWithFoundation() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for _ in 0..<20_000 {
            let seconds = Int64.random(in: -9_223_372_036...9_223_372_036)
            let east = Int.random(in: -1439...1439)
            let local = Date(timeIntervalSince1970: Double(seconds + Int64(east) * 60))
            let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second], from: local)
            let date = String(format: "%04d-%02d-%02d", try #require(parts.year), try #require(parts.month), try #require(parts.day))
            let time = String(format: "%02d:%02d:%02d", try #require(parts.hour), try #require(parts.minute), try #require(parts.second))
            let offset = String(format: "%@%02d:%02d", east < 0 ? "-" : "+", abs(east) / 60, abs(east) % 60)
            #expect(parse("\(date)T\(time)\(offset)") == seconds * Self.second, "\(date)T\(time)\(offset)")
        }
    }
}
