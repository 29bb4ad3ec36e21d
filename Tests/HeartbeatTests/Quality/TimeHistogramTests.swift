import Heartbeat
import Testing

struct TimeHistogramTests {
    private func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1000) }

    /// Both ends of every bucket, and what lies between them in large steps.
    @Test func theMiddleOfABucketIsWithinAnEighthOfWhatItStandsFor() {
        var time: Int64 = 1
        while time <= 60_000_000 {
            for candidate in [time, time + time / 97, time * 5 / 4 - 1] where candidate >= 1 && candidate <= 60_000_000 {
                let middle = TimeHistogram.middle(of: TimeHistogram.bucket(of: microseconds(candidate))).nanoseconds / 1000
                #expect(abs(middle - candidate) * 8 <= candidate, "\(candidate) us became \(middle) us")
            }
            time += max(1, time / 61)
        }
    }

    @Test func bucketsAreInOrderAndAllInUse() {
        var previous = 0
        var isUsed = [Bool](repeating: false, count: TimeHistogram.bucketCount)
        var time: Int64 = 0
        while time <= 60_000_000 {
            let bucket = TimeHistogram.bucket(of: microseconds(time))
            #expect(bucket >= previous && bucket <= previous + 1)
            isUsed[bucket] = true
            previous = bucket
            time += max(1, time / 128)
        }
        #expect(isUsed.allSatisfy { $0 })
    }

    @Test(
        arguments: [
            (.min, 0), (-1, 0), (0, 0), (999, 0), (1000, 1), (7_999, 7), (8_000, 8), (60_000_000_000, 99), (60_000_000_001, 99), (.max, 99),
        ] as [(Int64, Int)])
    func timesOutsideTheRangeCountAtItsEnds(nanoseconds: Int64, bucket: Int) {
        #expect(TimeHistogram.bucket(of: Interval(nanoseconds: nanoseconds)) == bucket)
    }

    @Test func percentilesAreTheNearestRank() {
        var histogram = TimeHistogram()
        #expect(histogram.percentile(permille: 500) == .zero)
        #expect(histogram.percentile(permille: 1000) == .zero)
        for _ in 0..<990 { histogram.record(microseconds(3)) }
        for _ in 0..<9 { histogram.record(microseconds(6)) }
        histogram.record(microseconds(7))
        #expect(histogram.count == 1000)
        #expect(histogram.percentile(permille: 1) == microseconds(3))
        #expect(histogram.percentile(permille: 990) == microseconds(3))
        #expect(histogram.percentile(permille: 991) == microseconds(6))
        #expect(histogram.percentile(permille: 999) == microseconds(6))
        #expect(histogram.percentile(permille: 1000) == microseconds(7))
    }

    @Test func aRankBetweenTwoTimesIsTheLarger() {
        var histogram = TimeHistogram()
        for _ in 0..<9 { histogram.record(microseconds(3)) }
        histogram.record(microseconds(6))
        #expect(histogram.percentile(permille: 900) == microseconds(3))
        #expect(histogram.percentile(permille: 901) == microseconds(6))
    }

    @Test func countersGoOnBeyondSixteenBits() {
        var histogram = TimeHistogram()
        for _ in 0..<65_535 { histogram.record(microseconds(2)) }
        #expect(histogram.count(inBucket: 2) == 65_535)
        for _ in 0..<65_537 { histogram.record(microseconds(2)) }
        histogram.record(microseconds(5))
        #expect(histogram.count(inBucket: 2) == 131_072)
        #expect(histogram.count(inBucket: 5) == 1)
        #expect(histogram.count(inBucket: 4) == 0)
        #expect(histogram.count == 131_073)
        #expect(histogram.percentile(permille: 999) == microseconds(2))
        #expect(histogram.percentile(permille: 1000) == microseconds(5))
    }
}
