import Heartbeat
import WebSocket

/// Metrics of one thing: numbers in the order of the families that it has.
final class MetricsRow {
    /// Of the thing, not of the label.
    let name: [UInt8]
    var numbers: [UInt64]
    /// There is something of it now that gauges can tell of.
    var isPresent = false

    init(_ name: [UInt8], _ numbers: [UInt64]) {
        self.name = name
        self.numbers = numbers
    }
}

/// Writes the text format of OpenMetrics 1.0 (https://github.com/prometheus/OpenMetrics), one family after the other.
///
/// A family's name is given without the prefix that all have, and ends with its unit if it has one. Numbers of seconds are nanoseconds here.
struct OpenMetricsText {
    enum Kind {
        case counter
        case gauge
    }

    enum Unit {
        case none
        case bytes
        case seconds
    }

    private(set) var bytes: [UInt8] = []
    /// By which label the rows that follow are named.
    var label: StaticString
    /// Of the family that samples belong to.
    private var name: [UInt8] = []

    init(label: StaticString) {
        self.label = label
    }

    /// Families from a table with two lines for each: name and help. Each has the samples of all rows, from their numbers at `start`. A time of
    /// zero is none yet, and is left out.
    @inline(never)
    mutating func families(_ kind: Kind, unit: Unit = .none, _ table: StaticString, _ rows: [MetricsRow], at start: Int) {
        let lines = ASCII.words(table, separator: 0x0A)
        for index in 0..<(lines.count / 2) {
            family(kind == .counter ? "counter" : "gauge", unit: unit, lines[index * 2], lines[index * 2 + 1])
            for row in rows where kind == .counter || row.isPresent {
                let number = row.numbers[start + index]
                if unit == .seconds && number == 0 { continue }
                beginSample(row, kind == .counter ? "_total" : "")
                endSample(number, isTime: unit == .seconds)
            }
        }
    }

    /// A family that has a sample for each word of a list, which is one more label with its value.
    @inline(never)
    mutating func family(
        _ kind: Kind, _ name: StaticString, _ help: StaticString, by words: StaticString, _ rows: [MetricsRow], at start: Int
    ) {
        family(kind == .counter ? "counter" : "gauge", unit: .none, ASCII.bytes(name), ASCII.bytes(help))
        for row in rows where kind == .counter || row.isPresent {
            _ = samples(row, kind == .counter ? "_total" : "", ASCII.words(words), at: start, areCumulative: false)
        }
    }

    /// A histogram of times, from the numbers that `TimeBuckets` has of a measure.
    @inline(never)
    mutating func histogram(_ name: StaticString, _ help: StaticString, _ rows: [MetricsRow], at start: Int) {
        family("histogram", unit: .seconds, ASCII.bytes(name), ASCII.bytes(help))
        for row in rows {
            let count = samples(row, "_bucket", ASCII.words(Self.limits), at: start, areCumulative: true)
            beginSample(row, "_count")
            endSample(count, isTime: false)
            beginSample(row, "_sum")
            endSample(row.numbers[start + TimeBuckets.stride - 1], isTime: true)
        }
    }

    /// Those of `TimeBuckets`.
    private static let limits: StaticString = """
        le="0.0001" le="0.0005" le="0.001" le="0.0025" le="0.005" le="0.01" le="0.025" le="0.05" le="0.1" le="0.25" le="0.5" le="1.0" \
        le="2.5" le="5.0" le="10.0" le="+Inf"
        """

    /// A sample for each word, and its last number.
    @inline(never)
    private mutating func samples(
        _ row: MetricsRow, _ suffix: StaticString, _ words: [[UInt8]], at start: Int, areCumulative: Bool
    ) -> UInt64 {
        var number: UInt64 = 0
        for index in words.indices {
            number = row.numbers[start + index] &+ (areCumulative ? number : 0)
            beginSample(row, suffix)
            append(",")
            bytes += words[index]
            endSample(number, isTime: false)
        }
        return number
    }

    mutating func end() {
        append("# EOF\n")
    }

    @inline(never)
    private mutating func family(_ kind: StaticString, unit: Unit, _ name: [UInt8], _ help: [UInt8]) {
        self.name = ASCII.bytes("heartwire_") + name
        describe("# TYPE ", ASCII.bytes(kind))
        if unit != .none { describe("# UNIT ", ASCII.bytes(unit == .bytes ? "bytes" : "seconds")) }
        describe("# HELP ", help)
    }

    @inline(never)
    private mutating func describe(_ keyword: StaticString, _ text: [UInt8]) {
        append(keyword)
        bytes += name
        append(" ")
        bytes += text
        append("\n")
    }

    @inline(never)
    private mutating func beginSample(_ row: MetricsRow, _ suffix: StaticString) {
        bytes += name
        append(suffix)
        append("{")
        append(label)
        append("=\"")
        for byte in row.name {
            if byte == 0x22 || byte == 0x5C || byte == 0x0A { append(byte: 0x5C) }
            append(byte: byte == 0x0A ? 0x6E : byte)
        }
        append("\"")
    }

    @inline(never)
    private mutating func endSample(_ number: UInt64, isTime: Bool) {
        append("} ")
        if isTime { appendSeconds(number) } else { append(number) }
        append("\n")
    }

    @inline(never)
    private mutating func append(_ text: StaticString) {
        bytes += ASCII.bytes(text)
    }

    @inline(never)
    private mutating func append(byte: UInt8) {
        bytes.append(byte)
    }

    @inline(never)
    private mutating func append(_ number: UInt64) {
        if number > 9 { append(number / 10) }
        append(byte: UInt8(truncatingIfNeeded: 0x30 + number % 10))
    }

    /// As the format writes a float: one digit behind the point at least, and no zeros beyond that.
    @inline(never)
    private mutating func appendSeconds(_ nanoseconds: UInt64) {
        var unit: UInt64 = 1_000_000_000
        append(nanoseconds / unit)
        append(".")
        var rest = nanoseconds % unit
        repeat {
            unit /= 10
            append(rest / unit)
            rest %= unit
        } while rest > 0
    }
}
