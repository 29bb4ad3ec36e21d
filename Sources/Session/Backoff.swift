import Heartbeat

/// Delays between connection attempts: exponential with full jitter, so that clients cut off together do not come back together.
package struct Backoff {
    package struct Configuration {
        package var base: Interval
        package var cap: Interval
        /// Failures in a row after which to give up; 0 for never.
        package var attemptsMax: Int

        package init(base: Interval, cap: Interval, attemptsMax: Int) {
            self.base = base
            self.cap = cap
            self.attemptsMax = attemptsMax
        }
    }

    private let configuration: Configuration
    /// Failures since the last connection that proved stable.
    package private(set) var failures = 0

    package init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    package mutating func recordFailure() {
        failures &+= 1
    }

    package mutating func reset() {
        failures = 0
    }

    package var isExhausted: Bool { configuration.attemptsMax > 0 && failures >= configuration.attemptsMax }

    /// The upper bound of the next delay: the base, doubled for every failure after the first, up to the cap.
    package var ceiling: Interval {
        var bound = max(0, min(configuration.base, configuration.cap).nanoseconds)
        let doublings = max(0, failures &- 1)
        // Sixty-three doublings take any delay past the cap.
        for _ in 0..<min(doublings, 63) {
            if bound >= configuration.cap.nanoseconds / 2 { return configuration.cap }
            bound &*= 2
        }
        return Interval(nanoseconds: bound)
    }

    /// A delay drawn evenly from zero to the ceiling.
    package func delay(_ random: inout Random) -> Interval {
        Interval(nanoseconds: Int64(random.next(through: UInt64(ceiling.nanoseconds))))
    }
}
