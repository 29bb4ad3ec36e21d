import Heartbeat

/// What all connections of the process share about one host and port: its circuit, which keeps attempts away from a host that is unwell,
/// and the count of attempts, because services ban those who make too many.
///
/// Each connection has its own limits and gives them with each call, and a token, by which it is known as the one that probes or waits.
package struct HostGate: ~Copyable {
    package enum Circuit: Int32 {
        case closed = 0
        case open = 1
        /// One connection tries for all.
        case halfOpen = 2
    }

    /// What keeps an attempt waiting.
    package enum Hold: Int32 {
        case budget = 0
        case circuit = 1
    }

    package enum Admission: Equatable {
        case go
        /// Ask again then.
        case wait(until: Instant, Hold)
    }

    /// What an attempt said about the host.
    package enum Health {
        /// It answered, be it with a refusal.
        case well
        case unwell
        /// Nothing: the attempt did not get so far, or was given up.
        case unknown
        /// Nothing either: the attempt was admitted and never made.
        case unmade
    }

    package struct Policy {
        /// Failures within `window` that open the circuit; 0: none do, and an open circuit holds nothing back.
        package var failuresMax = 50
        package var window = Interval.seconds(60)
        package var openFor = Interval.seconds(5)
        /// Attempts that may begin within any minute; 0: any number.
        package var attemptsPerMinuteMax = 0

        package init() {}
    }

    private enum State {
        case closed
        /// `isProbeAssigned`: somebody was told to come back at `until`, and not later like the others.
        case open(until: Instant, isProbeAssigned: Bool)
        case halfOpen(prober: UInt64, until: Instant)
    }

    private static let failuresKept = 1000
    /// A prober that takes longer no longer keeps others from trying.
    private static let probeTimeMax = Interval.seconds(60)
    /// Whoever waits for a prober's verdict asks no more often than this.
    private static let verdictPause = Interval.milliseconds(100)

    private var state = State.closed
    /// When the latest attempts failed that said the host is unwell, oldest first.
    private var failures = RingQueue<Instant>()
    private var longestWindow = Interval.zero
    private var budget = AttemptBudget()

    package init() {}

    package var circuit: Circuit {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// Until when an open circuit lets nothing through.
    package var openUntil: Instant? {
        if case .open(let until, _) = state { until } else { nil }
    }

    /// Nothing is remembered that could matter to a later attempt.
    package mutating func isIdle(_ now: Instant) -> Bool {
        guard case .closed = state else { return false }
        return budget.isIdle(now) && (failures.isEmpty || now >= failures[failures.count &- 1] + longestWindow)
    }

    /// Asks to begin an attempt; `attemptEnded` must follow, also if the connection gives up while it waits.
    package mutating func admit(_ token: UInt64, _ policy: Policy, _ now: Instant, _ random: inout Random) -> Admission {
        if let until = heldByCircuit(token, policy, now, &random) {
            budget.leave(token)
            return .wait(until: until, .circuit)
        }
        if let until = budget.begin(token, perMinuteMax: policy.attemptsPerMinuteMax, now, &random) {
            return .wait(until: until, .budget)
        }
        if policy.failuresMax > 0, circuit != .closed {
            state = .halfOpen(prober: token, until: now + Self.probeTimeMax)
        }
        return .go
    }

    package mutating func attemptEnded(_ token: UInt64, _ health: Health, _ policy: Policy, _ now: Instant) {
        budget.leave(token)
        if health == .unwell { record(now) }
        if health == .unmade { budget.takeBack(token) }
        switch state {
        case .halfOpen(token, _):
            switch health {
            case .well:
                state = .closed
                failures.removeAll()
            case .unwell: open(until: now + policy.openFor)
            case .unknown, .unmade: open(until: now)
            }
        case .closed:
            longestWindow = max(longestWindow, policy.window)
            guard health == .unwell, policy.failuresMax > 0, failures.count >= policy.failuresMax else { return }
            if now < failures[failures.count &- policy.failuresMax] + policy.window { open(until: now + policy.openFor) }
        case .open, .halfOpen:
            // Attempts from before the circuit opened, or of connections that it does not hold back, decide nothing.
            return
        }
    }

    private mutating func open(until: Instant) {
        state = .open(until: until, isProbeAssigned: false)
    }

    private mutating func record(_ now: Instant) {
        if failures.count >= Self.failuresKept { _ = failures.popFirst() }
        failures.append(now)
    }

    /// When to ask again; nil if the circuit lets the attempt through. The first to ask comes back when the circuit may be probed, the
    /// others at any time of an equally long stretch after that.
    private mutating func heldByCircuit(_ token: UInt64, _ policy: Policy, _ now: Instant, _ random: inout Random) -> Instant? {
        guard policy.failuresMax > 0 else { return nil }
        let pause = max(policy.openFor, Self.verdictPause)
        switch state {
        case .closed:
            return nil
        case .open(let until, let isProbeAssigned):
            guard now < until else { return nil }
            guard isProbeAssigned else {
                state = .open(until: until, isProbeAssigned: true)
                return until
            }
            return until + random.interval(from: .zero, through: pause)
        case .halfOpen(let prober, let until):
            guard prober != token, now < until else { return nil }
            return now + random.interval(from: Interval(nanoseconds: pause.nanoseconds / 2), through: pause)
        }
    }
}
