/// Round-trip times of answered pings: the last one and the mean of all.
package struct RoundTrips {
    package private(set) var last = Interval.zero
    private var sum: Int64 = 0
    private var count: Int64 = 0

    package init() {}

    package var mean: Interval { count == 0 ? .zero : Interval(nanoseconds: sum / count) }

    package mutating func record(_ roundTrip: Interval) {
        last = roundTrip
        // A sum that would overflow, after centuries, starts over instead of trapping.
        let (total, overflow) = sum.addingReportingOverflow(roundTrip.nanoseconds)
        (sum, count) = overflow ? (roundTrip.nanoseconds, 1) : (total, count &+ 1)
    }
}
