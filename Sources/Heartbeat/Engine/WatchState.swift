/// Where one watch rule stands on the present connection: since when it has seen nothing, and what has been done about it.
struct WatchState {
    private(set) var interval: Interval?
    private(set) var hasStarted = false
    private(set) var lastSeen = Instant(nanoseconds: 0)
    /// Intervals of silence that have been reported.
    private(set) var intervalsMissed = 0
    /// When the peer was asked for a sign of life, and how long it has.
    private var probe: (sent: Instant, timeout: Interval)?
    var health: HealthMonitor

    init(_ policy: HealthMonitor.Policy) {
        health = HealthMonitor(every: nil, policy)
    }

    var isSilent: Bool { intervalsMissed > 0 }

    /// The start has come; the interval may not be known yet.
    mutating func start(_ now: Instant) {
        hasStarted = true
        suspend()
        restart(now)
        health.restart(now)
    }

    /// Nothing is expected until an interval is known again.
    mutating func suspend() {
        interval = nil
        health.interval = nil
    }

    /// The interval is known, or has changed. As long as it was not known the watch had not begun.
    mutating func begin(within interval: Interval, _ now: Instant) {
        if self.interval == nil { restart(now) }
        self.interval = interval
        health.interval = interval
    }

    /// What is expected came.
    mutating func seen(_ now: Instant) -> Change<Health>? {
        restart(now)
        return health.seen(now)
    }

    private mutating func restart(_ now: Instant) {
        lastSeen = now
        intervalsMissed = 0
        probe = nil
    }

    /// When the silence has lasted one interval more.
    var deadline: Instant? {
        guard let interval else { return nil }
        let (length, overflow) = interval.nanoseconds.multipliedReportingOverflow(by: Int64(intervalsMissed &+ 1))
        return lastSeen + Interval(nanoseconds: overflow ? .max : length)
    }

    /// Gives how many intervals the silence has lasted, once for each of them, and since when it was not told of; those that a stall has
    /// skipped count as one.
    mutating func expire(_ now: Instant) -> (intervals: Int, since: Instant)? {
        guard let interval, let deadline, now >= deadline else { return nil }
        intervalsMissed = Int(clamping: (now - lastSeen).nanoseconds / max(1, interval.nanoseconds))
        return (intervalsMissed, Instant(nanoseconds: deadline.nanoseconds &- interval.nanoseconds))
    }

    // MARK: Probing

    mutating func probed(_ now: Instant, timeout: Interval) {
        probe = (now, timeout)
    }

    var isProbed: Bool { probe != nil }

    var probeDeadline: Instant? { probe.map { $0.sent + $0.timeout } }

    /// When the probe was sent whose time has run out, once.
    mutating func takeExpiredProbe(_ now: Instant) -> Instant? {
        guard let probe, now >= probe.sent + probe.timeout else { return nil }
        self.probe = nil
        return probe.sent
    }

    // MARK: Reading

    mutating func readingResumed(_ now: Instant) {
        if hasStarted { restart(now) }
        health.readingResumed(now)
    }
}
