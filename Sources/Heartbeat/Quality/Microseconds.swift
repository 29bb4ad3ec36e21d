extension Interval {
    /// In whole microseconds, as times are kept where there are many: what is negative is zero, more than 71 minutes are 71 minutes.
    var microseconds: UInt32 { UInt32(clamping: nanoseconds / 1000) }

    static func microseconds(_ count: UInt32) -> Interval { Interval(nanoseconds: Int64(count) * 1000) }

    /// `count` is not zero.
    static func mean(ofMicroseconds sum: UInt64, count: Int) -> Interval {
        Interval(nanoseconds: Int64(clamping: sum &* 1000 / UInt64(count)))
    }
}
