/// What comes with time: beats, deadlines of acks, watches and answers.
extension HeartbeatEngine {
    /// When `poll` must be called next; nil while there is nothing to wait for. What is sent meanwhile can only put it off.
    package var deadline: Instant? {
        guard epoch.isRunning, !epoch.isCondemned else { return nil }
        var earliest = epoch.pings?.deadline
        func consider(_ candidate: Instant?) {
            guard let candidate else { return }
            earliest = earliest.map { min($0, candidate) } ?? candidate
        }
        consider(epoch.answerDeadline)
        consider(epoch.ageDeadline)
        for index in epoch.beats.indices {
            consider(due(beat: index))
            if !epoch.isReadingPaused { consider(epoch.beats[index].ackDeadline) }
        }
        guard !epoch.isReadingPaused else { return earliest }
        consider(answerToProbeDeadline)
        for index in epoch.watches.indices {
            let watch = epoch.watches[index]
            consider(silenceDeadline(watch: index))
            consider(watch.probeDeadline)
            consider(watch.health.deadline)
        }
        return earliest
    }

    /// Does what is due. `lastMessageSent`: when a message, of whoever's, was last handed to the kernel; `oldestAnswer`: when the request
    /// arrived whose answer waits longest for that.
    package mutating func poll(_ now: Instant, lastMessageSent: Instant?, oldestAnswer: Instant?) {
        guard epoch.isRunning, !epoch.isCondemned else { return }
        if let lastMessageSent { epoch.lastMessageSent = max(epoch.lastMessageSent, lastMessageSent) }
        if rules?.learnsFromOutgoing == true { updateIntervals(now) }
        pollAnswers(now, oldestAnswer)
        if !epoch.isReadingPaused {
            pollAcks(now)
            pollWatches(now)
            pollProbe(now)
        }
        for index in epoch.beats.indices { pollBeat(index, now) }
        pollPings(now)
        if let deadline = epoch.ageDeadline, now >= deadline {
            epoch.ageDeadline = nil
            note(.reconnectAdvised(url: []), .connection())
        }
    }

    // MARK: Beats

    func due(beat index: Int) -> Instant? {
        guard let rule = rules?.beats[index] else { return nil }
        let activity: Instant? =
            switch rule.when {
            case .always: nil
            case .idleSending: epoch.lastMessageSent
            case .idleReceiving: epoch.lastMessage
            case .idle: max(epoch.lastMessage, epoch.lastMessageSent)
            }
        return epoch.beats[index].due(activity: activity)
    }

    private mutating func pollBeat(_ index: Int, _ now: Instant) {
        guard let rule = rules?.beats[index], let due = due(beat: index), now >= due else { return }
        epoch.beats[index].passed(isIdleTimer: rule.when != .always, now)
        if !epoch.isReadingPaused, let ack = rule.ack, case .nextBeat = ack.within, let sent = epoch.beats[index].missLast() {
            missed(beat: index, sent: sent, now)
            return
        }
        sendBeat(index, rule, now)
    }

    mutating func sendBeat(_ index: Int, _ rule: BeatRule, _ now: Instant) {
        guard let values = send(rule.send, .beat(index), .beat(index), now), case .send(let sent)? = outputs.last else { return }
        epoch.beats[index].lastPayload = sent.payload
        epoch.beats[index].lastSent = now
        guard let ack = rule.ack else { return }
        var timeout: Interval?
        if case .after(let length) = ack.within, case .known(let interval) = self.length(of: length) { timeout = interval }
        epoch.beats[index].sent(
            BeatState.Pending(sent: now, awaitedFrom: now, timeout: timeout, values: values, payload: sent.payload))
    }

    private mutating func pollAcks(_ now: Instant) {
        for index in epoch.beats.indices {
            while let sent = epoch.beats[index].miss(now) { missed(beat: index, sent: sent, now) }
        }
    }

    private mutating func pollPings(_ now: Instant) {
        while let output = epoch.pings?.poll(now) {
            switch output {
            case .idle:
                return
            case .send(let payload):
                let bytes = withUnsafeBytes(of: payload.bigEndian) { [UInt8]($0) }
                transmit(OutgoingHeartbeat(.ping, .ping, bytes), now)
            case .missed(let count):
                pingMissed(count, now)
            case .peerIsGone(let count):
                pingMissed(count, now)
                condemn(.pingsMissed(count))
            }
        }
    }

    // MARK: Watches

    /// For what any message settles the last message counts, so that not every one of them need be told to each watch.
    func silenceDeadline(watch index: Int) -> Instant? {
        let watch = epoch.watches[index]
        guard let deadline = watch.deadline, let rules, case .anyReceived = rules.watches[index].on, !watch.isSilent,
            let interval = watch.interval
        else { return watch.deadline }
        return max(deadline, epoch.lastMessage + interval)
    }

    private mutating func pollWatches(_ now: Instant) {
        guard let rules else { return }
        for index in rules.watches.indices {
            if case .anyReceived = rules.watches[index].on, epoch.lastMessage > epoch.watches[index].lastSeen,
                epoch.watches[index].hasStarted
            {
                healthChanged(epoch.watches[index].seen(epoch.lastMessage))
            }
            if let probeSent = epoch.watches[index].takeExpiredProbe(now) { judgeSilence(watch: index, since: probeSent) }
            guard let silence = epoch.watches[index].expire(now) else {
                healthChanged(epoch.watches[index].health.poll(now))
                continue
            }
            note(.timedOut(intervals: silence.intervals), .watch(index))
            healthChanged(epoch.watches[index].health.poll(now))
            watchExpired(index, since: silence.since, rules, now)
        }
    }

    /// Other signs of life in this interval of the silence defer a verdict, those in an earlier one do not.
    private mutating func watchExpired(_ index: Int, since start: Instant, _ rules: RuleSet, _ now: Instant) {
        let watch = epoch.watches[index]
        let rule = rules.watches[index]
        switch configuration.silencePolicy {
        case .report:
            return
        case .close:
            judgeSilence(watch: index, since: start)
        case .probe:
            guard !rules.isSendForbidden, rule.probe != .none else {
                judgeSilence(watch: index, since: start)
                return
            }
            ask(rule.probe, now)
            epoch.watches[index].probed(now, timeout: min(watch.interval ?? configuration.probeTimeout, configuration.probeTimeout))
        }
    }

    /// The silence has lasted too long: unless something else has shown since then that the peer is alive, the connection is over.
    private mutating func judgeSilence(watch index: Int, since start: Instant) {
        if lastSignOfLife <= start { condemn(.silence(watch: index)) }
    }

    // MARK: Answers

    private mutating func pollAnswers(_ now: Instant, _ oldest: Instant?) {
        guard let deadline = epoch.answerDeadline, now >= deadline else { return }
        epoch.answerDeadline = nil
        guard let oldest else { return }
        let due = oldest + configuration.response.timeout
        if now < due {
            epoch.answerDeadline = due
        } else if epoch.overdueReported != oldest {
            epoch.overdueReported = oldest
            failed(.overdue, .connection(), evidence: [], now)
        }
    }

    /// An answer was given out: its deadline must be looked at.
    mutating func answerIsOnItsWay(received: Instant) {
        if epoch.answerDeadline == nil { epoch.answerDeadline = received + configuration.response.timeout }
    }

    // MARK: Reading

    /// Reading stopped because the application is slow: nothing that is not read counts as missing.
    package mutating func readingPaused(_ now: Instant) {
        epoch.isReadingPaused = true
        epoch.pings?.readingPaused(now)
        for index in epoch.watches.indices { epoch.watches[index].health.readingPaused() }
    }

    /// Reading goes on: what is awaited gets its full time anew.
    package mutating func readingResumed(_ now: Instant) {
        guard epoch.isReadingPaused else { return }
        epoch.isReadingPaused = false
        if epoch.probed != nil { epoch.probed = now }
        epoch.pings?.readingResumed(now)
        for index in epoch.beats.indices { epoch.beats[index].readingResumed(now) }
        for index in epoch.watches.indices { epoch.watches[index].readingResumed(now) }
    }
}
