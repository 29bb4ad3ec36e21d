/// The health that one expected signal tells: how long it has been away, or how many acknowledgements of a beat are missing.
///
/// It falls at once and rises slowly, so that a signal that comes and goes does not make it flicker.
package struct HealthMonitor {
    package struct Policy {
        /// After so many intervals without the signal, or missed acknowledgements in a row, there is a warning.
        package let warningIntervals: UInt16
        package let errorIntervals: UInt16
        /// So many signals in time, one after the other, make the signal healthy again.
        package let recoveryBeats: UInt16

        /// Less than one of anything counts as one, and an error comes no earlier than a warning.
        package init(warningIntervals: UInt16 = 1, errorIntervals: UInt16 = 2, recoveryBeats: UInt16 = 2) {
            self.warningIntervals = max(1, warningIntervals)
            self.errorIntervals = max(self.warningIntervals, errorIntervals)
            self.recoveryBeats = max(1, recoveryBeats)
        }
    }

    private let policy: Policy
    /// Nil if only acknowledgements count. It may change at any time, for intervals that the server tells.
    package var interval: Interval?
    private var reported = Reported(Health.unknown)
    /// When the signal last came, or reading went on: silence while nobody reads says nothing about the server.
    private var heardFrom: Instant?
    private var isReadingPaused = false
    private var signalsInTime: UInt16 = 0
    private var missedInARow: UInt16 = 0

    package init(every interval: Interval?, _ policy: Policy) {
        self.interval = interval
        self.policy = policy
    }

    package var health: Health { reported.value }

    /// When `poll` next has something to do; nil while nothing can get worse by waiting.
    package var deadline: Instant? {
        guard !isReadingPaused else { return nil }
        switch health {
        case .unknown, .error: return nil
        case .healthy: return instant(after: policy.warningIntervals)
        case .warning: return instant(after: policy.errorIntervals)
        }
    }

    /// The signal is away too long by now. Early calls are harmless.
    package mutating func poll(_ now: Instant) -> Change<Health>? {
        guard let deadline, now >= deadline else { return nil }
        if let error = instant(after: policy.errorIntervals), now >= error { return fall(to: .error) }
        return fall(to: .warning)
    }

    /// The signal came. It is in time at the very instant at which its absence would be a warning: signals go before timers.
    @inline(never)
    package mutating func seen(_ now: Instant) -> Change<Health>? {
        let isInTime = instant(after: policy.warningIntervals).map { now <= $0 } ?? true
        heardFrom = now
        return rise(isInTime: isInTime)
    }

    /// A beat was acknowledged, perhaps after it had been missed.
    package mutating func acknowledged(isLate: Bool) -> Change<Health>? {
        rise(isInTime: !isLate)
    }

    /// A beat was not acknowledged in time.
    package mutating func acknowledgementMissed() -> Change<Health>? {
        missedInARow += missedInARow < policy.errorIntervals ? 1 : 0
        if missedInARow >= policy.errorIntervals { return fall(to: .error) }
        return missedInARow >= policy.warningIntervals ? fall(to: .warning) : nil
    }

    package mutating func readingPaused() {
        isReadingPaused = true
    }

    /// Reading goes on: the signal gets its full time anew.
    package mutating func readingResumed(_ now: Instant) {
        guard isReadingPaused else { return }
        isReadingPaused = false
        restart(now)
    }

    /// Silence counts from now on.
    package mutating func restart(_ now: Instant) {
        heardFrom = now
    }

    private func instant(after intervals: UInt16) -> Instant? {
        guard let interval, let heardFrom else { return nil }
        let (length, overflow) = interval.nanoseconds.multipliedReportingOverflow(by: Int64(intervals))
        return heardFrom + Interval(nanoseconds: overflow ? .max : length)
    }

    private mutating func fall(to health: Health) -> Change<Health>? {
        signalsInTime = 0
        return reported.update(.worse(self.health, health))
    }

    /// What comes late ends a silence, but does not count towards a recovery.
    private mutating func rise(isInTime: Bool) -> Change<Health>? {
        missedInARow = 0
        signalsInTime = isInTime ? min(signalsInTime, policy.recoveryBeats - 1) + 1 : 0
        switch health {
        case .unknown: return reported.update(.healthy)
        case .healthy: return reported.update(isInTime ? .healthy : .warning)
        case .warning: return reported.update(signalsInTime < policy.recoveryBeats ? .warning : .healthy)
        case .error: return reported.update(.warning)
        }
    }
}
