import Heartbeat
import Testing

struct QualityTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    private func quality(_ microseconds: [Int64], _ thresholds: Quality.Thresholds = .init()) -> Quality {
        var window = RoundTripWindow()
        for count in microseconds { window.record(Interval(nanoseconds: count * 1000), at(0)) }
        return Quality(window, thresholds)
    }

    @Test func isUnknownBelowThreeRoundTrips() {
        #expect(quality([]) == .unknown)
        #expect(quality([1000, 1000]) == .unknown)
        #expect(quality([1000, 1000, 1000]) == .excellent)
    }

    @Test(
        arguments: [
            (0, .excellent), (49_999, .excellent), (50_000, .good), (99_999, .good), (100_000, .fair), (199_999, .fair), (200_000, .poor),
        ] as [(Int64, Quality)])
    func isBoundedByTheMean(mean: Int64, expected: Quality) {
        #expect(quality([mean, mean, mean]) == expected)
    }

    /// Two values at this distance from the mean have its square as variance.
    @Test(arguments: [(4472, .excellent), (4473, .good), (7071, .good), (7072, .fair)] as [(Int64, Quality)])
    func isBoundedByTheVariance(distance: Int64, expected: Quality) {
        #expect(quality([20_000 - distance, 20_000 + distance, 20_000 - distance, 20_000 + distance]) == expected)
    }

    @Test func aSteadyWayThatIsSlowIsNotGoodForItsVariance() {
        #expect(quality([60_000, 75_000, 90_000]) == .fair)
        #expect(quality([300_000, 300_000, 300_000]) == .poor)
        #expect(quality([.max / 1000, 0, .max / 1000]) == .poor)
    }

    @Test func thresholdsCanBeChosen() {
        var thresholds = Quality.Thresholds()
        thresholds.excellentMean = .milliseconds(5)
        thresholds.goodMean = .milliseconds(10)
        thresholds.fairMean = .milliseconds(15)
        #expect(quality([5000, 5000, 5000], thresholds) == .good)
        #expect(quality([10_000, 10_000, 10_000], thresholds) == .fair)
        #expect(quality([15_000, 15_000, 15_000], thresholds) == .poor)
        thresholds.goodVariance = 0
        #expect(quality([5000, 5000, 5000], thresholds) == .fair)
        thresholds.excellentMean = .milliseconds(6)
        thresholds.excellentVariance = .max
        #expect(quality([5000, 5000, 5000], thresholds) == .excellent)
    }
}
