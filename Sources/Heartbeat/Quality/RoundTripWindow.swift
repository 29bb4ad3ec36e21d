/// Round-trip times of answered pings and beats: the last sixteen of the present connection, and the mean over all connections.
package struct RoundTripWindow {
    package static let capacity = 16

    /// Of whichever connection.
    package private(set) var last = Interval.zero
    /// How many the window holds.
    package private(set) var count = 0
    private var times = InlineArray<16, UInt32>(repeating: 0)
    /// When each was measured, in milliseconds modulo 2^32.
    private var moments = InlineArray<16, UInt32>(repeating: 0)
    /// Where the next time goes.
    private var next = 0
    /// In sixteenths of a microsecond, as RFC 3550 appendix A.8 keeps it.
    private var jitterSum: UInt64 = 0
    private var allSum: Int64 = 0
    private var allCount: Int64 = 0

    package init() {}

    package mutating func record(_ roundTrip: Interval, _ now: Instant) {
        let time = roundTrip.microseconds
        if count > 0 {
            let difference = UInt64(max(time, newest) - min(time, newest))
            jitterSum = jitterSum + difference - (jitterSum + 8) >> 4
        }
        times[next] = time
        moments[next] = Self.moment(now)
        next = (next + 1) % Self.capacity
        count = min(count + 1, Self.capacity)
        last = roundTrip
        // A sum that would overflow, after centuries, starts over instead of trapping.
        let (total, overflow) = allSum.addingReportingOverflow(roundTrip.nanoseconds)
        (allSum, allCount) = overflow ? (roundTrip.nanoseconds, 1) : (total, allCount &+ 1)
    }

    /// A new connection says nothing yet about its way; `last` and `meanOfAll` stay.
    package mutating func connectionOpened() {
        (count, next, jitterSum) = (0, 0, 0)
    }

    package var meanOfAll: Interval { allCount == 0 ? .zero : Interval(nanoseconds: allSum / allCount) }

    package var mean: Interval {
        guard count > 0 else { return .zero }
        var sum: UInt64 = 0
        for index in 0..<count { sum += UInt64(times[index]) }
        return .mean(ofMicroseconds: sum, count: count)
    }

    /// Of the window; zero if there are none, as all below.
    package var latest: Interval { count == 0 ? .zero : .microseconds(newest) }

    private var newest: UInt32 { times[(next + Self.capacity - 1) % Self.capacity] }

    /// Those of the window, oldest first, and how long ago each was measured. What is older than 49 days looks younger.
    package func recent(_ now: Instant) -> [(age: Interval, roundTrip: Interval)] {
        (0..<count).map { number in
            let index = (next + Self.capacity - count + number) % Self.capacity
            return (.milliseconds(Int64(Self.moment(now) &- moments[index])), .microseconds(times[index]))
        }
    }

    private static func moment(_ instant: Instant) -> UInt32 { UInt32(truncatingIfNeeded: instant.nanoseconds / 1_000_000) }

    package var shortest: Interval {
        guard count > 0 else { return .zero }
        var result = UInt32.max
        for index in 0..<count { result = min(result, times[index]) }
        return .microseconds(result)
    }

    package var longest: Interval {
        var result: UInt32 = 0
        for index in 0..<count { result = max(result, times[index]) }
        return .microseconds(result)
    }

    /// The mean of the squared distances from the mean, in square microseconds. Distances of an hour would overflow: then it is the largest
    /// number.
    package var variance: UInt64 {
        guard count > 0 else { return 0 }
        let mean = mean.microseconds
        var sum: UInt64 = 0
        for index in 0..<count {
            let distance = UInt64(max(times[index], mean) - min(times[index], mean))
            let (total, overflow) = sum.addingReportingOverflow(distance * distance)
            guard !overflow else { return .max }
            sum = total
        }
        return sum / UInt64(count)
    }

    /// The smoothed distance of each time from the one before it (RFC 3550 section 6.4.1).
    package var jitter: Interval { .microseconds(UInt32(clamping: jitterSum >> 4)) }
}
