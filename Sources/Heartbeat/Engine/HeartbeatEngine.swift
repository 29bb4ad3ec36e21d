import WebSocket

/// The heartbeats of a managed connection: what to send when, what to answer, what to expect, and what their failure means.
///
/// The owner tells it what happens and when, calls `poll` when `deadline` has come, and carries out what `takeOutputs` gives; calls that come
/// too early or too often do nothing. All that one connection has taught stands in `epoch` and ends with it; only the totals go on.
package struct HeartbeatEngine: ~Copyable {
    /// One connection's state, replaced as a whole by the next one's.
    struct Epoch: ~Copyable {
        var isRunning = false
        var opened = Instant(nanoseconds: 0)
        var beats: [BeatState] = []
        var watches: [WatchState] = []
        var pings: PingSchedule?
        var pingHealth: HealthMonitor
        var misses = MissWindow()
        /// Setup rules that wait for their message.
        var setupsDone: [Bool] = []
        var splitter: UnitSplitter

        var lastBytes = Instant(nanoseconds: 0)
        var lastMessage = Instant(nanoseconds: 0)
        var lastMessageSent = Instant(nanoseconds: 0)
        var lastAck = Instant(nanoseconds: 0)
        /// When a heartbeat of the other side, or its acknowledgement of ours, last came.
        var lastBeat: Instant?
        /// When a watch or stamp last saw what it expects.
        var lastData = Instant(nanoseconds: 0)
        var isReadingPaused = false
        /// When the peer was last asked for a sign of life by `probe`; nil once the time for the answer is over.
        var probed: Instant?

        /// When the request arrived whose answer has been reported overdue.
        var overdueReported: Instant?
        /// When to look whether an answer is overdue.
        var answerDeadline: Instant?
        var ageDeadline: Instant?
        var failures = FailureCounts()
        var isCondemned = false

        var responses = ResponseTimes()
        var clock = ClockOffset()
        var latency: OneWayLatency?
        var quality = Reported(Quality.unknown)
        var health = Reported(Health.unknown)

        init(_ policy: HealthMonitor.Policy, split: UnitSplit? = nil) {
            pingHealth = HealthMonitor(every: nil, policy)
            splitter = UnitSplitter(split)
        }
    }

    let configuration: HeartbeatConfiguration
    let environment: any HeartbeatEnvironment
    let variables: HeartbeatVariables?
    var epoch: Epoch
    var outputs: [HeartbeatOutput] = []
    package internal(set) var totals = HeartbeatTotals()
    package internal(set) var roundTrips = RoundTripWindow()
    package internal(set) var times = TimeBuckets()

    package init(_ configuration: HeartbeatConfiguration, _ environment: any HeartbeatEnvironment, _ variables: HeartbeatVariables?) {
        self.configuration = configuration
        self.environment = environment
        self.variables = variables
        epoch = Epoch(configuration.health)
    }

    var rules: RuleSet? { configuration.rules }

    // MARK: Outputs

    package var hasOutput: Bool { !outputs.isEmpty }

    package mutating func takeOutputs() -> [HeartbeatOutput] {
        defer { outputs = [] }
        return outputs
    }

    @inline(never)
    mutating func note(_ kind: HeartbeatNote.Kind, _ subject: HeartbeatNote.Subject, evidence: [UInt8] = []) {
        outputs.append(.note(HeartbeatNote(kind, subject, evidence: evidence)))
    }

    // MARK: Life

    /// A connection has opened: everything begins anew. Of the variables only what was learned since the last one ended is known, from what
    /// waits to be sent. `salt` is random.
    package mutating func connectionOpened(_ now: Instant, salt: UInt64) {
        epoch = Epoch(configuration.health, split: rules?.frame.split)
        roundTrips.connectionOpened()
        epoch.isRunning = true
        epoch.opened = now
        (epoch.lastBytes, epoch.lastMessage, epoch.lastMessageSent) = (now, now, now)
        (epoch.lastAck, epoch.lastData) = (now, now)
        epoch.pings = configuration.ping.map { PingSchedule($0, salt: salt, opened: now) }
        if !configuration.isEmpty { note(.started, .connection(configuration.presetName)) }
        guard let rules else { return }
        epoch.beats = rules.beats.map { _ in BeatState(configuration.health) }
        epoch.watches = rules.watches.map { _ in WatchState(configuration.health) }
        epoch.setupsDone = rules.setups.map { _ in false }
        epoch.ageDeadline = rules.reconnect.ageMax.map { now + $0 }
        for index in rules.setups.indices where rules.setups[index].on == nil { setUp(index, now) }
        for index in rules.beats.indices {
            if case .open = rules.beats[index].start { startBeat(index, now) }
        }
        for index in rules.watches.indices {
            if case .open = rules.watches[index].start { startWatch(index, now) }
        }
    }

    /// The connection is over, or says nothing more.
    package mutating func connectionEnded() {
        guard epoch.isRunning else { return }
        epoch = Epoch(configuration.health)
        variables?.reset()
        if !configuration.isEmpty { note(.stopped, .connection()) }
    }

    // MARK: Starting

    mutating func setUp(_ index: Int, _ now: Instant) {
        guard let rules, !epoch.setupsDone[index] else { return }
        epoch.setupsDone[index] = true
        send(rules.setups[index].send, .setup, .setup, now)
    }

    /// A start that comes again restarts the rhythm.
    mutating func startBeat(_ index: Int, _ now: Instant) {
        epoch.beats[index].start()
        updateBeat(index, now)
    }

    /// Begins the rhythm of a beat that has started as soon as its interval is known, and follows the interval when it changes.
    mutating func updateBeat(_ index: Int, _ now: Instant) {
        guard epoch.beats[index].hasStarted, let rule = rules?.beats[index] else { return }
        guard case .known(let interval) = length(of: rule.every) else {
            epoch.beats[index].suspend()
            return
        }
        let isIdleTimer = rule.when != .always
        guard epoch.beats[index].interval == nil else {
            if epoch.beats[index].interval != interval { epoch.beats[index].change(to: interval, isIdleTimer: isIdleTimer) }
            return
        }
        let delay: Interval =
            switch rule.first {
            case .afterInterval: interval
            case .now: epoch.beats[index].delayAfterLast(now)
            case .jitter: interval.scaled(by: environment.fraction())
            }
        epoch.beats[index].begin(every: interval, firstAfter: delay, isIdleTimer: isIdleTimer, now)
    }

    /// Something was learned.
    mutating func updateIntervals(_ now: Instant) {
        for index in epoch.beats.indices { updateBeat(index, now) }
        for index in epoch.watches.indices { updateWatch(index, now) }
    }

    @inline(never)
    mutating func startWatch(_ index: Int, _ now: Instant) {
        epoch.watches[index].start(now)
        updateWatch(index, now)
    }

    mutating func updateWatch(_ index: Int, _ now: Instant) {
        guard epoch.watches[index].hasStarted, let rule = rules?.watches[index] else { return }
        switch length(of: rule.within) {
        case .known(let interval): epoch.watches[index].begin(within: interval, now)
        case .off, .unknown: epoch.watches[index].suspend()
        }
    }

    func length(of rule: DurationRule) -> LearnedInterval {
        rule.evaluate { variables?[$0] }
    }

    // MARK: Sending

    /// Sends what stands for itself, a setup message or a beat, and gives the values in it; nil if it could not be made.
    @discardableResult
    mutating func send(
        _ rule: SendRule, _ purpose: OutgoingHeartbeat.Purpose, _ subject: HeartbeatNote.Subject, _ now: Instant
    ) -> PendingValues? {
        var body: [UInt8] = []
        guard let values = render(rule, Captured(), into: &body, now) else {
            failed(.couldNotMake, subject, evidence: [], now)
            return nil
        }
        transmit(purpose, rule, body, values, now)
        return values
    }

    /// Writes the body that a rule sends, encoded; nil if it cannot be made.
    func render(_ rule: SendRule, _ captured: Captured, into body: inout [UInt8], _ now: Instant) -> PendingValues? {
        configuration.render(rule, captured, EngineValues(environment: environment, variables: variables, now: now), into: &body)
    }

    mutating func transmit(
        _ purpose: OutgoingHeartbeat.Purpose, _ rule: SendRule, _ body: [UInt8], _ values: PendingValues, _ now: Instant
    ) {
        // A number that must be larger than those of queued messages cannot go before them.
        let followsQueue = values.counter != nil && (rules?.learnsFromOutgoing ?? false)
        transmit(OutgoingHeartbeat(purpose, rule.opcode, body, followsQueue: followsQueue), now)
    }

    @inline(never)
    mutating func transmit(_ heartbeat: OutgoingHeartbeat, _ now: Instant) {
        guard !epoch.isCondemned else { return }
        if heartbeat.opcode != .ping { epoch.lastMessageSent = now }
        outputs.append(.send(heartbeat))
    }
}

/// Counts over all connections of a handle.
package struct HeartbeatTotals {
    package var received: UInt64 = 0
    package var answered: UInt64 = 0
    package var failed: UInt64 = 0
    package var beatsAcked: UInt64 = 0
    package var beatsLate: UInt64 = 0
    package var beatsMissed: UInt64 = 0
    package var timestamps: UInt64 = 0

    package init() {}

    package static func + (a: HeartbeatTotals, b: HeartbeatTotals) -> HeartbeatTotals {
        var sum = a
        sum.received &+= b.received
        sum.answered &+= b.answered
        sum.failed &+= b.failed
        sum.beatsAcked &+= b.beatsAcked
        sum.beatsLate &+= b.beatsLate
        sum.beatsMissed &+= b.beatsMissed
        sum.timestamps &+= b.timestamps
        return sum
    }
}
