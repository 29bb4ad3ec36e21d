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
        /// Its time ran out: an ack that comes now is late.
        var isMissed = false

        var deadline: Instant? { isMissed ? nil : timeout.map { awaitedFrom + $0 } }
    }

    /// Nil until it has started and its interval is known.
    private(set) var interval: Interval?
    private(set) var hasStarted = false
    /// When a fixed rhythm ticks next, or from when on idleness counts.
    private var anchor = Instant(nanoseconds: 0)
    /// Oldest first.
    private(set) var pending: [Pending] = []
    var missedInARow = 0
    var health: HealthMonitor
    /// Of the last one sent, for the event that tells of it and for the pong that answers it.
    var lastPayload: [UInt8] = []

    /// Unacknowledged beats beyond this number are forgotten, those whose time has run out first.
    private static let pendingMax = 32

    init(_ policy: HealthMonitor.Policy) {
        health = HealthMonitor(every: nil, policy)
    }

    // MARK: Rhythm

    /// The start has come; the interval may not be known yet.
    mutating func start() {
        hasStarted = true
        interval = nil
    }

    mutating func stop() {
        hasStarted = false
        interval = nil
    }

    /// The interval is known: the first beat is due after `delay`, for an idle timer after as much idleness.
    mutating func begin(every interval: Interval, firstAfter delay: Interval, isIdleTimer: Bool, _ now: Instant) {
        self.interval = interval
        // An idle timer counts whole intervals from its anchor, so a first beat that comes earlier moves the anchor back.
        anchor = isIdleTimer ? Instant(nanoseconds: now.nanoseconds &- (interval.nanoseconds &- delay.nanoseconds)) : now + delay
    }

    /// `activity`: when what the rule must be idle of was last active; nil for a fixed rhythm.
    func due(activity: Instant?) -> Instant? {
        guard let interval else { return nil }
        guard let activity else { return anchor }
        return max(anchor, activity) + interval
    }

    /// The beat that is due was sent or left out: a fixed rhythm keeps its phase and skips what a stall has missed.
    mutating func passed(isIdleTimer: Bool, next interval: Interval, _ now: Instant) {
        self.interval = interval
        guard !isIdleTimer else {
            anchor = now
            return
        }
        let behind = (now - anchor).nanoseconds / max(1, interval.nanoseconds)
        anchor = anchor + Interval(nanoseconds: interval.nanoseconds &* behind) + interval
    }

    // MARK: Acks

    var awaitsAck: Bool { pending.contains { !$0.isMissed } }

    var ackDeadline: Instant? {
        var earliest: Instant?
        for beat in pending {
            if let deadline = beat.deadline { earliest = earliest.map { min($0, deadline) } ?? deadline }
        }
        return earliest
    }

    mutating func sent(_ beat: Pending) {
        if pending.count == Self.pendingMax { pending.remove(at: pending.firstIndex { $0.isMissed } ?? 0) }
        pending.append(beat)
    }

    /// Marks one beat whose time has run out, and gives when it was sent.
    mutating func miss(_ now: Instant) -> Instant? {
        guard let index = pending.firstIndex(where: { $0.deadline.map { now >= $0 } ?? false }) else { return nil }
        return miss(at: index)
    }

    /// The next beat is due, and this one was to be acknowledged before.
    mutating func missLast() -> Instant? {
        pending.lastIndex { !$0.isMissed }.map { miss(at: $0) }
    }

    private mutating func miss(at index: Int) -> Instant {
        pending[index].isMissed = true
        missedInARow += 1
        return pending[index].sent
    }

    /// An ack for the beats that `isMeant` names: gives the latest of them that is still awaited, else the latest that is not. Without a way
    /// to tell beats apart an ack stands for all before it.
    mutating func acknowledge(isCorrelated: Bool, _ isMeant: (PendingValues) -> Bool = { _ in true }) -> Pending? {
        var index: Int?
        for candidate in pending.indices where isMeant(pending[candidate].values) {
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
