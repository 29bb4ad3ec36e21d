import Heartbeat

extension Random {
    /// A length from `low` to `high`, both included and neither below zero; `low` if they are the wrong way round.
    package mutating func interval(from low: Interval, through high: Interval) -> Interval {
        let span = max(0, high.nanoseconds &- low.nanoseconds)
        return Interval(nanoseconds: low.nanoseconds &+ Int64(next(through: UInt64(span))))
    }

    /// From `length`, which is not below zero, to a quarter more.
    mutating func withUpToAQuarterMore(_ length: Interval) -> Interval {
        let (sum, overflow) = length.nanoseconds.addingReportingOverflow(Int64(next(through: UInt64(length.nanoseconds / 4))))
        return Interval(nanoseconds: overflow ? .max : sum)
    }
}
