/// Counts times by fixed limits, in the manner of monitoring systems: over all connections of a handle, and in numbers that can be added to
/// those of other handles.
package struct TimeBuckets {
    package enum Measure: Int {
        /// From the arrival of a request until its answer was handed to the kernel.
        case latency
        /// From a ping or beat until its acknowledgement.
        case roundTrip
    }

    /// The largest time of each bucket, in microseconds; what is longer than the last but one goes into the last.
    package static let limits: [UInt32] = [
        100, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, .max,
    ]
    /// How many numbers a measure has: a count for each bucket, then the sum of all its times in nanoseconds.
    package static let stride = 17
    package static let measures = 2

    /// Of all measures, one after the other. Empty until the first time, so that a connection that measures nothing pays for a pointer only.
    package private(set) var numbers: [UInt64] = []

    package init() {}

    @inline(never)
    package mutating func record(_ time: Interval, _ measure: Measure) {
        if numbers.isEmpty { numbers = [UInt64](repeating: 0, count: Self.measures * Self.stride) }
        let start = measure.rawValue * Self.stride
        let nanoseconds = UInt64(clamping: time.nanoseconds)
        var bucket = 0
        while bucket < Self.stride - 2 && nanoseconds > UInt64(Self.limits[bucket]) * 1000 { bucket += 1 }
        numbers[start + bucket] &+= 1
        numbers[start + Self.stride - 1] &+= nanoseconds
    }

    @inline(never)
    package mutating func add(_ other: TimeBuckets) {
        if numbers.isEmpty {
            numbers = other.numbers
        } else {
            for index in other.numbers.indices { numbers[index] &+= other.numbers[index] }
        }
    }
}
