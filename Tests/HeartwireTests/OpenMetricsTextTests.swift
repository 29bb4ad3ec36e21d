import Heartbeat
import Testing

@testable import Heartwire

struct OpenMetricsTextTests {
    private func written(_ label: StaticString = "thing", _ body: (inout OpenMetricsText) -> Void) -> [String] {
        var text = OpenMetricsText(label: label)
        body(&text)
        return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func row(_ name: String, _ numbers: [UInt64]) -> MetricsRow {
        let row = MetricsRow(bytes(name), numbers)
        row.isPresent = true
        return row
    }

    @Test func gaugesTellOfWhatIsThereAlone() {
        let rows = [row("a", [1, 2]), MetricsRow(bytes("b"), [1, 2])]
        #expect(written { $0.families(.gauge, "x\nX.", rows, at: 0) }.dropFirst(2) == ["heartwire_x{thing=\"a\"} 1"])
        #expect(written { $0.family(.gauge, "x", "X.", by: "l=\"1\"", rows, at: 1) }.dropFirst(2) == ["heartwire_x{thing=\"a\",l=\"1\"} 2"])
        #expect(written { $0.families(.counter, "x\nX.", rows, at: 0) }.count == 4)
    }

    @Test func aFamilyIsDescribedBeforeItsSamples() {
        let rows = [MetricsRow(bytes("a"), [9, 1, 2]), MetricsRow(bytes("b"), [9, .max, 0])]
        let text = written { $0.families(.counter, unit: .bytes, "sent_bytes\nSent.\nlost_bytes\nNot sent.", rows, at: 1) }
        #expect(
            text == [
                "# TYPE heartwire_sent_bytes counter", "# UNIT heartwire_sent_bytes bytes", "# HELP heartwire_sent_bytes Sent.",
                "heartwire_sent_bytes_total{thing=\"a\"} 1", "heartwire_sent_bytes_total{thing=\"b\"} 18446744073709551615",
                "# TYPE heartwire_lost_bytes counter", "# UNIT heartwire_lost_bytes bytes", "# HELP heartwire_lost_bytes Not sent.",
                "heartwire_lost_bytes_total{thing=\"a\"} 2", "heartwire_lost_bytes_total{thing=\"b\"} 0",
            ])
    }

    @Test func aTimeThatThereIsNotYetIsLeftOut() {
        let rows = [row("a", [0]), row("b", [1])]
        let text = written { $0.families(.gauge, unit: .seconds, "age_seconds\nAge.", rows, at: 0) }
        #expect(text.dropFirst(3) == ["heartwire_age_seconds{thing=\"b\"} 0.000000001"])
        #expect(written { $0.families(.gauge, "queue\nQueue.", rows, at: 0) }.count == 4)
    }

    @Test(
        arguments: [
            (1, "0.000000001"), (500_000_000, "0.5"), (1_000_000_000, "1.0"), (61_250_000_000, "61.25"), (.max, "18446744073.709551615"),
        ] as [(UInt64, String)])
    func timesAreSecondsWithAPoint(nanoseconds: UInt64, text: String) {
        let rows = [row("", [nanoseconds])]
        #expect(written { $0.families(.gauge, unit: .seconds, "x_seconds\nX.", rows, at: 0) }.last?.hasSuffix("} \(text)") == true)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a\"b", "a\\\"b"), ("a\\b", "a\\\\b"), ("a\nb", "a\\nb"), ("ü}{,=", "ü}{,="), ("\\n", "\\\\n"),
    ])
    func valuesOfLabelsAreEscaped(name: String, escaped: String) {
        let text = written { $0.families(.gauge, "x\nX.", [row(name, [1])], at: 0) }
        #expect(text.last == "heartwire_x{thing=\"\(escaped)\"} 1")
    }

    @Test func aSampleForEachWord() {
        let text = written {
            $0.family(.gauge, "lights", "Lights.", by: "color=\"red\" color=\"green\"", [row("a", [5, 6, 7])], at: 1)
        }
        #expect(text.dropFirst(2) == ["heartwire_lights{thing=\"a\",color=\"red\"} 6", "heartwire_lights{thing=\"a\",color=\"green\"} 7"])
    }

    /// A counter tells of what is not there any more as well.
    @Test func countersHaveASampleForEachWordToo() {
        let text = written { $0.family(.counter, "falls", "Falls.", by: "from=\"a\" from=\"b\"", [MetricsRow(bytes("x"), [5, 6])], at: 0) }
        #expect(
            text == [
                "# TYPE heartwire_falls counter", "# HELP heartwire_falls Falls.", "heartwire_falls_total{thing=\"x\",from=\"a\"} 5",
                "heartwire_falls_total{thing=\"x\",from=\"b\"} 6",
            ])
    }

    @Test func aHistogramIsCumulative() {
        var buckets = TimeBuckets()
        for milliseconds in [1, 1, 300, 60_000] as [Int64] { buckets.record(.milliseconds(milliseconds), .roundTrip) }
        let row = MetricsRow(bytes("a"), [77] + buckets.numbers)
        let text = written { $0.histogram("trip_seconds", "Trips.", [row], at: 1 + TimeBuckets.stride) }
        #expect(text[0] == "# TYPE heartwire_trip_seconds histogram")
        #expect(text[1] == "# UNIT heartwire_trip_seconds seconds")
        let limits = [
            "0.0001", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0",
        ]
        #expect(TimeBuckets.limits.dropLast().map { Double($0) / 1e6 } == limits.map { Double($0) ?? 0 })
        let counts = [0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3]
        let expected = zip(limits + ["+Inf"], counts + [4]).map { "heartwire_trip_seconds_bucket{thing=\"a\",le=\"\($0)\"} \($1)" }
        #expect(text.dropFirst(3).dropLast(2) == expected[...])
        #expect(text.suffix(2) == ["heartwire_trip_seconds_count{thing=\"a\"} 4", "heartwire_trip_seconds_sum{thing=\"a\"} 60.302"])
    }

    @Test func endsWithEOF() {
        #expect(written { $0.end() } == ["# EOF"])
    }
}
