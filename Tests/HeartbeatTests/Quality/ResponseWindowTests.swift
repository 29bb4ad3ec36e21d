import Heartbeat
import Testing

struct ResponseWindowTests {
    private func window(_ milliseconds: some Sequence<Int>) -> ResponseWindow {
        var window = ResponseWindow()
        for count in milliseconds { window.record(.milliseconds(Int64(count))) }
        return window
    }

    @Test func isAllZeroAtFirst() {
        #expect(ResponseWindow().summary == ResponseWindow.Summary())
    }

    @Test func oneTimeIsEverything() {
        let summary = window([7]).summary
        #expect(summary.count == 1)
        for time in [summary.last, summary.min, summary.mean, summary.median, summary.p99, summary.max] {
            #expect(time == .milliseconds(7))
        }
    }

    @Test func theMedianOfAnEvenCountLiesBetweenTheMiddleTwo() {
        #expect(window([40, 10, 20]).summary.median == .milliseconds(20))
        #expect(window([40, 10, 30, 20]).summary.median == .milliseconds(25))
    }

    @Test func aFullWindowHasItsPercentileBelowItsMaximum() {
        let summary = window((1...100).reversed()).summary
        #expect(summary.count == 100)
        #expect(summary.last == .milliseconds(1))
        #expect(summary.min == .milliseconds(1))
        #expect(summary.mean == Interval(nanoseconds: 50_500_000))
        #expect(summary.median == Interval(nanoseconds: 50_500_000))
        #expect(summary.p99 == .milliseconds(99))
        #expect(summary.max == .milliseconds(100))
    }

    @Test func ofNinetyNineTimesThePercentileIsTheLargest() {
        #expect(window(1...99).summary.p99 == .milliseconds(99))
    }

    @Test func theOldestTimeGoesFirst() {
        let summary = window([500] + (1...99)).summary
        #expect(summary.max == .milliseconds(500))
        let next = window([500] + (1...100)).summary
        #expect(next.count == 100)
        #expect(next.max == .milliseconds(100))
        #expect(next.last == .milliseconds(100))
        #expect(window(1...250).summary.min == .milliseconds(151))
    }

    @Test func hugeAndNegativeTimesSaturate() {
        var window = ResponseWindow()
        window.record(Interval(nanoseconds: .max))
        window.record(Interval(nanoseconds: .min))
        #expect(window.summary.max == Interval(nanoseconds: 4_294_967_295_000))
        #expect(window.summary.min == .zero)
        #expect(window.summary.mean == Interval(nanoseconds: 2_147_483_647_500))
    }

    /// Against a sort of the last hundred.
    @Test func agreesWithAPlainComputation() {
        var random = SystemRandomNumberGenerator()
        var times: [Int64] = []
        var window = ResponseWindow()
        for _ in 0..<300 {
            let time = Int64.random(in: 0...5_000_000, using: &random)
            times.append(time)
            window.record(Interval(nanoseconds: time * 1000))
            let sorted = times.suffix(100).sorted()
            let summary = window.summary
            #expect(summary.count == sorted.count)
            #expect(summary.min.nanoseconds == sorted[0] * 1000)
            #expect(summary.max.nanoseconds == sorted[sorted.count - 1] * 1000)
            #expect(summary.mean.nanoseconds == sorted.reduce(0, +) * 1000 / Int64(sorted.count))
            #expect(summary.last.nanoseconds == time * 1000)
        }
    }
}
