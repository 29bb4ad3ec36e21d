/// Where one beat rule stands on the present connection: when it is due, and which of its beats await their ack.
struct BeatState {
    /// A beat that was sent and not acknowledged yet.
    struct Pending {
        let sent: Instant
        /// Later than `sent` if reading was paused meanwhile.
        var awaitedFrom: Instant
        /// Nil for one that has until the next beat.
        let timeout: Interval?
        let values: PendingValues
        let payload: [UInt8]
        /// Its time ran out: an ack that comes now is late.
        var isMissed = false

        var deadline: Instant? { isMissed ? nil : timeout.map { awaitedFrom + $0 } }
    }

    /// Nil until it has started and its interval is known, and while it is off.
    private(set) var interval: Interval?
    private(set) var hasStarted = false
    /// When a fixed rhythm ticks next, or from when on idleness counts.
    private var anchor = Instant(nanoseconds: 0)
    /// How long an idle timer's idleness must last: the first time it may be less than the interval.
    private var idleness = Interval.zero
    /// Oldest first.
    private(set) var pending: [Pending] = []
    var missedInARow = 0
    var health: HealthMonitor
    /// Of the last one sent, for the event that tells of it and for the pong that answers it.
    var lastPayload: [UInt8] = []
    var lastSent: Instant?

    /// Unacknowledged beats beyond this number are forgotten, those whose time has run out first.
    private static let pendingMax = 64

    init(_ policy: HealthMonitor.Policy) {
        health = HealthMonitor(every: nil, policy)
    }

    // MARK: Rhythm

    /// The start has come; the interval may not be known yet.
    mutating func start() {
        hasStarted = true
        interval = nil
    }

    /// A start that comes again and again, or an interval that comes and goes, must not make us beat like mad.
    func delayAfterLast(_ now: Instant) -> Interval {
        guard let lastSent, lastSent + RuleLimit.learnedMin > now else { return .zero }
        return lastSent + RuleLimit.learnedMin - now
    }

    /// There are no beats until an interval is known again.
    mutating func suspend() {
        interval = nil
    }

    /// The interval is known: the first beat is due after `delay`, for an idle timer after as much idleness.
    mutating func begin(every interval: Interval, firstAfter delay: Interval, isIdleTimer: Bool, _ now: Instant) {
        self.interval = interval
        idleness = delay
        anchor = isIdleTimer ? now : now + delay
    }

    /// The interval has changed: the next beat is due so much after the last.
    mutating func change(to interval: Interval, isIdleTimer: Bool) {
        guard let previous = self.interval else { return }
        self.interval = interval
        idleness = interval
        if !isIdleTimer { anchor = Instant(nanoseconds: anchor.nanoseconds &- previous.nanoseconds) + interval }
    }

    /// `activity`: when what the rule must be idle of was last active; nil for a fixed rhythm.
    func due(activity: Instant?) -> Instant? {
        guard interval != nil else { return nil }
        guard let activity else { return anchor }
        return max(anchor, activity) + idleness
    }

    /// The beat that is due was sent or left out: a fixed rhythm keeps its phase and skips what a stall has missed.
    mutating func passed(isIdleTimer: Bool, _ now: Instant) {
        guard let interval else { return }
        guard !isIdleTimer else {
            anchor = now
            idleness = interval
            return
        }
        let behind = (now - anchor).nanoseconds / max(1, interval.nanoseconds)
        anchor = anchor + Interval(nanoseconds: interval.nanoseconds &* behind) + interval
    }

    // MARK: Acks

    var ackDeadline: Instant? {
        var earliest: Instant?
        for beat in pending {
            if let deadline = beat.deadline { earliest = earliest.map { min($0, deadline) } ?? deadline }
        }
        return earliest
    }

    mutating func sent(_ beat: Pending) {
        // The oldest stay: their time runs out first, and forgetting them would put the verdict off for ever.
        if pending.count == Self.pendingMax { pending.remove(at: pending.firstIndex { $0.isMissed } ?? Self.pendingMax - 1) }
        pending.append(beat)
    }

    /// Marks one beat whose time has run out, and gives when it was sent.
    mutating func miss(_ now: Instant) -> Instant? {
        guard let index = pending.firstIndex(where: { $0.deadline.map { now >= $0 } ?? false }) else { return nil }
        return miss(at: index)
    }

    /// The next beat is due, and the last one was to be acknowledged before: gives when that was sent. One during whose time nobody read has
    /// no verdict; whoever acknowledges a later one has it acknowledged too.
    mutating func missLast() -> Instant? {
        guard let last = pending.last, !last.isMissed, last.awaitedFrom == last.sent else { return nil }
        return miss(at: pending.count - 1)
    }

    private mutating func miss(at index: Int) -> Instant {
        pending[index].isMissed = true
        missedInARow += 1
        return pending[index].sent
    }

    /// An ack for the beats that `isMeant` names: gives the latest of them that is still awaited, else the latest that is not. One that is
    /// not correlated with a single beat stands for all before it.
    mutating func acknowledge(isCorrelated: Bool, _ isMeant: (Pending) -> Bool = { _ in true }) -> Pending? {
        var index: Int?
        for candidate in pending.indices where isMeant(pending[candidate]) {
            if !pending[candidate].isMissed || index == nil || pending[index ?? 0].isMissed { index = candidate }
        }
        guard let index else { return nil }
        let beat = pending[index]
        if isCorrelated { pending.remove(at: index) } else { pending.removeFirst(index + 1) }
        if !beat.isMissed { missedInARow = 0 }
        return beat
    }

    // MARK: Reading

    mutating func readingResumed(_ now: Instant) {
        for index in pending.indices { pending[index].awaitedFrom = now }
    }
}
