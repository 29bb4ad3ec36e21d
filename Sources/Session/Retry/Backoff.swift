import Heartbeat

/// Delays between connection attempts: they grow from failure to failure up to a cap, and jitter draws from them, so that clients cut off
/// together do not come back together.
package struct Backoff {
    /// What is drawn of a delay d.
    package enum Jitter: Int, CaseIterable {
        /// Anything from 0 to d.
        case full = 0
        /// From half of d to d.
        case equal = 1
        /// From d to a quarter more.
        case quarter = 2
        /// Nothing: d itself.
        case none = 3
    }

    package struct Configuration {
        package var base: Interval
        package var cap: Interval
        /// What each failure after the first makes of the delay; 200 doubles it.
        package var factorPercent: Int
        package var jitter: Jitter
        /// Failures in a row after which to give up; 0 for never.
        package var attemptsMax: Int

        package init(base: Interval, cap: Interval, factorPercent: Int = 200, jitter: Jitter = .full, attemptsMax: Int = 0) {
            self.base = base
            self.cap = cap
            self.factorPercent = factorPercent
            self.jitter = jitter
            self.attemptsMax = attemptsMax
        }
    }

    private let configuration: Configuration
    /// Failures since the last connection that proved stable.
    package private(set) var failures = 0
    /// The next delay before jitter: the base, multiplied for every failure after the first, up to the cap.
    package private(set) var ceiling: Interval

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        ceiling = Self.first(configuration)
    }

    package mutating func recordFailure() {
        failures &+= 1
        guard failures > 1 else { return }
        let (product, overflow) = ceiling.nanoseconds.multipliedReportingOverflow(by: Int64(configuration.factorPercent))
        // What overflows is a hundred days and more.
        ceiling = overflow ? configuration.cap : min(Interval(nanoseconds: product / 100), configuration.cap)
    }

    package mutating func reset() {
        failures = 0
        ceiling = Self.first(configuration)
    }

    package var isExhausted: Bool { configuration.attemptsMax > 0 && failures >= configuration.attemptsMax }

    package func delay(_ random: inout Random) -> Interval {
        let whole = ceiling.nanoseconds
        switch configuration.jitter {
        case .full: return random.interval(from: .zero, through: ceiling)
        case .equal: return random.interval(from: Interval(nanoseconds: whole / 2), through: ceiling)
        case .quarter: return random.withUpToAQuarterMore(ceiling)
        case .none: return ceiling
        }
    }

    private static func first(_ configuration: Configuration) -> Interval {
        max(.zero, min(configuration.base, configuration.cap))
    }
}
