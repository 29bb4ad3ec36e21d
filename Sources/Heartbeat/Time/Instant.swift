/// A moment on a monotonic clock, in nanoseconds from an arbitrary start. Arithmetic saturates: no configuration or clock can make it trap.
package struct Instant: Comparable, Hashable, BitwiseCopyable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

    package static func + (instant: Instant, interval: Interval) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    package static func - (later: Instant, earlier: Instant) -> Interval {
        let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return Interval(nanoseconds: overflow ? .max : difference)
    }
}

/// A length of time in nanoseconds.
package struct Interval: Comparable, Hashable, BitwiseCopyable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package static let zero = Interval(nanoseconds: 0)

    package static func milliseconds(_ count: Int64) -> Interval {
        let (product, overflow) = count.multipliedReportingOverflow(by: 1_000_000)
        return Interval(nanoseconds: overflow ? .max : product)
    }

    package static func seconds(_ count: Int64) -> Interval { milliseconds(count &* 1000) }

    /// `factor` is from 0 to 1; anything else counts as the nearer of them.
    package func scaled(by factor: Double) -> Interval {
        guard factor > 0 else { return .zero }
        guard factor < 1 else { return self }
        return Interval(nanoseconds: Int64(Double(nanoseconds) * factor))
    }

    package static func < (a: Interval, b: Interval) -> Bool { a.nanoseconds < b.nanoseconds }
}
