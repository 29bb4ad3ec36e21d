/// The time between pings that follows how the connection does: the worse, the shorter.
package struct AdaptiveInterval {
    package let good: Interval
    package let fair: Interval
    package let poor: Interval

    private static let fairMean = Interval.milliseconds(500)
    private static let poorMean = Interval.seconds(1)
    private static let missedPercentMax = 10

    package init(good: Interval, fair: Interval, poor: Interval) {
        self.good = good
        self.fair = fair
        self.poor = poor
    }

    package func interval(_ misses: MissWindow, _ roundTrips: RoundTripWindow) -> Interval {
        let mean = roundTrips.mean
        if misses.exceed(percent: Self.missedPercentMax) || mean > Self.poorMean { return poor }
        return mean > Self.fairMean ? fair : good
    }
}
