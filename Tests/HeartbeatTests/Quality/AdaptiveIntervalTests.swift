import Heartbeat
import Testing

struct AdaptiveIntervalTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    private let adaptive = AdaptiveInterval(good: .seconds(30), fair: .seconds(20), poor: .seconds(15))

    /// After round trips of these milliseconds, and so many beats of which the first were missed.
    private func interval(_ roundTrips: [Int64] = [], missed: Int = 0, of count: Int = 0) -> Interval {
        var window = RoundTripWindow()
        for time in roundTrips { window.record(.milliseconds(time), at(0)) }
        var misses = MissWindow()
        for number in 0..<count { misses.record(isMissed: number < missed) }
        return adaptive.interval(misses, window)
    }

    @Test(
        arguments: [
            ([], 30), ([10], 30), ([500], 30), ([501], 20), ([1000], 20), ([1001], 15), ([0, 1000], 30), ([2, 1000], 20), ([0, 2002], 15),
            ([60_000], 15), (Array(repeating: 500, count: 16), 30), ([9000] + Array(repeating: 500, count: 16), 30),
        ] as [([Int64], Int64)])
    func followsTheMeanOfRoundTrips(roundTrips: [Int64], seconds: Int64) {
        #expect(interval(roundTrips) == .seconds(seconds))
    }

    @Test(arguments: [(0, 1), (1, 16), (1, 11), (1, 10)]) func aTenthMayBeMissed(missed: Int, count: Int) {
        #expect(interval(missed: missed, of: count) == .seconds(30))
    }

    @Test(arguments: [(1, 1), (1, 9), (2, 16), (3, 17), (16, 16)]) func moreThanATenthIsPoor(missed: Int, count: Int) {
        #expect(interval([1], missed: missed, of: count) == .seconds(15))
    }

    @Test func whatIsMoreThanSixteenBeatsAgoDoesNotCount() {
        #expect(interval(missed: 2, of: 18) == .seconds(30))
        #expect(interval(missed: 100, of: 115) == .seconds(30))
        #expect(interval(missed: 100, of: 114) == .seconds(15))
    }
}
