import Heartbeat
import Testing

func unixNanoseconds(_ text: String, _ unit: TimestampUnit) -> Int64? {
    // Exactly as large as the text, so that the address sanitizer sees each byte read beyond it.
    Array(text.utf8).withUnsafeBytes { Timestamp.unixNanoseconds($0, unit) }
}

/// What both kinds of timestamps have in common; CalendarTimeTests and DecimalTextTests are about each.
struct TimestampTests {
    @Test(
        arguments: [
            (.seconds, 1_687_552_286_000_000_000), (.milliseconds, 1_687_552_286_000_000), (.microseconds, 1_687_552_286_000),
            (.nanoseconds, 1_687_552_286),
        ] as [(TimestampUnit, Int64)])
    func eachUnitHasItsScale(unit: TimestampUnit, expected: Int64) {
        #expect(unixNanoseconds("1687552286", unit) == expected)
    }

    @Test func quotesOfAJSONStringAreIgnored() {
        #expect(unixNanoseconds(#""2023-06-23T20:31:26.122969572Z""#, .iso8601) == 1_687_552_286_122_969_572)
        #expect(unixNanoseconds(#""1687552286122""#, .milliseconds) == 1_687_552_286_122_000_000)
    }

    @Test(arguments: [
        "", "\"", "\"\"", "\"\"\"\"", "\"1", "1\"", "\"\"1\"\"", "null", "true", "[1]", "{}", " 1", "1 ", #""\u0031""#, "'1'",
    ])
    func anythingElseIsRefused(text: String) {
        for unit in [.iso8601, .seconds, .milliseconds, .microseconds, .nanoseconds] as [TimestampUnit] {
            #expect(unixNanoseconds(text, unit) == nil)
        }
    }

    /// Debug builds check all arithmetic: none of these may trap.
    @Test func noTextIsTooStrange() {
        let characters = Array("0123456789999+-.,::eETtZz \"")
        for _ in 0..<10_000 {
            var text = Array(["2023-06-23T20:31:26.122969572+02:00", "-1687552286.122e-5", ""].randomElement() ?? "")
            for _ in 0..<Int.random(in: 1...30) {
                guard let character = characters.randomElement() else { continue }
                let index = Int.random(in: 0...text.count)
                if index < text.count && Bool.random() { text[index] = character } else { text.insert(character, at: index) }
            }
            let times = [.iso8601, .seconds, .nanoseconds].map { unixNanoseconds(String(text), $0) }
            #expect(times[0] == nil || times[1] == nil, "\(String(text)) is either a date or a number")
        }
    }

    @Test func anEmptyBufferWithoutMemoryIsRefused() {
        #expect(Timestamp.unixNanoseconds(UnsafeRawBufferPointer(start: nil, count: 0), .seconds) == nil)
        #expect(Timestamp.unixNanoseconds(UnsafeRawBufferPointer(start: nil, count: 0), .iso8601) == nil)
    }
}
