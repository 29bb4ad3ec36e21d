/// What the last round trips say about the way to the server, from bad to good.
package enum Quality: UInt8 {
    case unknown
    case poor
    case fair
    case good
    case excellent

    /// Below each of its limits lies a quality. Variances are in square milliseconds.
    package struct Thresholds {
        package var excellentMean = Interval.milliseconds(50)
        package var excellentVariance: UInt64 = 20
        package var goodMean = Interval.milliseconds(100)
        package var goodVariance: UInt64 = 50
        package var fairMean = Interval.milliseconds(200)

        package init() {}
    }

    /// Fewer round trips say nothing.
    private static let roundTripsMin = 3

    package init(_ roundTrips: RoundTripWindow, _ thresholds: Thresholds) {
        let mean = roundTrips.mean
        // Rounded down: compared with whole numbers it says the same as the exact variance.
        let variance = roundTrips.variance / 1_000_000
        if roundTrips.count < Self.roundTripsMin {
            self = .unknown
        } else if mean < thresholds.excellentMean && variance < thresholds.excellentVariance {
            self = .excellent
        } else if mean < thresholds.goodMean && variance < thresholds.goodVariance {
            self = .good
        } else {
            self = mean < thresholds.fairMean ? .fair : .poor
        }
    }
}
