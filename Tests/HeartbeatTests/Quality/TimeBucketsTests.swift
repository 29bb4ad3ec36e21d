import Heartbeat
import Testing

struct TimeBucketsTests {
    private func numbers(_ buckets: TimeBuckets, _ measure: TimeBuckets.Measure) -> [UInt64] {
        let start = measure.rawValue * TimeBuckets.stride
        return [UInt64](buckets.numbers[start..<(start + TimeBuckets.stride)])
    }

    @Test func needsNoMemoryBeforeTheFirstTime() {
        #expect(TimeBuckets().numbers.isEmpty)
    }

    @Test func hasANumberForEachLimitAndOneForTheSum() {
        #expect(TimeBuckets.stride == TimeBuckets.limits.count + 1)
        #expect(TimeBuckets.limits == TimeBuckets.limits.sorted())
        #expect(TimeBuckets.limits.last == .max)
    }

    @Test func aTimeThatEqualsALimitIsWithinIt() {
        for (index, limit) in TimeBuckets.limits.dropLast().enumerated() {
            for (nanoseconds, bucket) in [(Int64(limit) * 1000, index), (Int64(limit) * 1000 + 1, index + 1)] {
                var buckets = TimeBuckets()
                buckets.record(Interval(nanoseconds: nanoseconds), .latency)
                #expect(numbers(buckets, .latency)[bucket] == 1, "\(nanoseconds) ns")
                #expect(numbers(buckets, .latency).last == UInt64(nanoseconds))
            }
        }
    }

    @Test func timesOutsideOfAllLimitsCountAtTheEnds() {
        var buckets = TimeBuckets()
        buckets.record(Interval(nanoseconds: .min), .roundTrip)
        buckets.record(Interval(nanoseconds: .max), .roundTrip)
        #expect(numbers(buckets, .roundTrip) == [1] + [UInt64](repeating: 0, count: 14) + [1, UInt64(Int64.max)])
    }

    @Test func addsWhatOthersHaveMeasured() {
        var (a, b) = (TimeBuckets(), TimeBuckets())
        a.record(.milliseconds(1), .latency)
        b.record(.milliseconds(2), .roundTrip)
        b.record(.milliseconds(1), .latency)
        var sum = TimeBuckets()
        for other in [a, TimeBuckets(), b] { sum.add(other) }
        #expect(numbers(sum, .latency)[2] == 2)
        #expect(numbers(sum, .latency).last == 2_000_000)
        #expect(numbers(sum, .roundTrip)[3] == 1)
        #expect(numbers(sum, .roundTrip).last == 2_000_000)
    }
}
