/// What acks, misses and failures mean: health, quality, and the end of the connection.
extension HeartbeatEngine {
    // MARK: Our beats

    mutating func acknowledged(_ index: Int, _ beat: BeatState.Pending, evidence: [UInt8], _ now: Instant) {
        healthChanged(epoch.beats[index].health.acknowledged(isLate: beat.isMissed))
        acknowledged(.beat(index), roundTrip: now - beat.sent, isLate: beat.isMissed, evidence: evidence, now)
    }

    @inline(never)
    mutating func acknowledged(
        _ subject: HeartbeatNote.Subject, roundTrip: Interval, isLate: Bool, evidence: [UInt8], _ now: Instant
    ) {
        totals.beatsAcked &+= 1
        if isLate {
            totals.beatsLate &+= 1
        } else {
            epoch.failures.succeeded(subject)
            epoch.misses.record(isMissed: false)
        }
        epoch.lastAck = now
        epoch.lastBeat = now
        roundTrips.record(roundTrip, now)
        times.record(roundTrip, .roundTrip)
        note(.beatAcked(roundTrip: roundTrip, isLate: isLate), subject, evidence: evidence)
        if let change = epoch.quality.update(Quality(roundTrips, configuration.quality)) {
            note(.qualityChanged(from: change.previous, to: change.current, mean: roundTrips.mean), .connection())
        }
        adaptPings(now)
    }

    /// A beat sent at `sent` was not acknowledged in time. Received bytes defer the verdict, unless only acks are to count.
    mutating func missed(beat index: Int, sent: Instant, _ now: Instant) {
        countMiss(now)
        let failures = epoch.failures.failed(.beat(index))
        healthChanged(epoch.beats[index].health.acknowledgementMissed())
        note(.beatMissed(inARow: epoch.beats[index].missedInARow), .beat(index), evidence: epoch.beats[index].lastPayload)
        if rules?.beats[index].closesOnMiss == true {
            condemn(.beatMissed(index))
        } else if lastSignOfLife <= sent {
            judge(failuresInARow: failures)
        }
    }

    @inline(never)
    mutating func pingMissed(_ count: Int, _ now: Instant) {
        countMiss(now)
        healthChanged(epoch.pingHealth.acknowledgementMissed())
        note(.beatMissed(inARow: count), .ping)
    }

    private mutating func countMiss(_ now: Instant) {
        totals.beatsMissed &+= 1
        epoch.misses.record(isMissed: true)
        adaptPings(now)
    }

    private mutating func adaptPings(_ now: Instant) {
        guard let adaptive = configuration.adaptive else { return }
        epoch.pings?.setInterval(adaptive.interval(epoch.misses, roundTrips), now)
    }

    // MARK: Answers

    /// The owner could not send it, not even at the second try.
    @inline(never)
    package mutating func couldNotSend(_ heartbeat: OutgoingHeartbeat, _ now: Instant) {
        guard epoch.isRunning else { return }
        failed(.couldNotSend, HeartbeatNote.Subject(heartbeat.purpose), evidence: heartbeat.payload, now)
    }

    /// The kernel took over an answer at `now`.
    @inline(never)
    package mutating func answerHandedOver(_ subject: HeartbeatNote.Subject, received: Instant, _ now: Instant) {
        guard epoch.isRunning else { return }
        let time = now - received
        totals.answered &+= 1
        times.record(time, .latency)
        let level = configuration.response.level(of: time)
        note(.responded(after: time, level), subject)
        if let change = epoch.responses.record(time, limits: configuration.response) {
            note(.responseLevelChanged(from: change.previous, to: change.current, after: time), subject)
        }
        if level != .overdue {
            epoch.failures.succeeded(subject)
            epoch.failures.succeeded(.connection())
        } else if epoch.overdueReported == received {
            epoch.overdueReported = nil
        } else {
            failed(.overdue, subject, evidence: [], now)
        }
    }

    package mutating func beatHandedOver(_ purpose: OutgoingHeartbeat.Purpose) {
        guard epoch.isRunning else { return }
        switch purpose {
        case .beat(let index): note(.beatSent, .beat(index), evidence: index < epoch.beats.count ? epoch.beats[index].lastPayload : [])
        case .ping, .probe: note(.beatSent, .ping)
        case .setup, .answer: break
        }
    }

    // MARK: Detectors

    /// The host's own detector has looked at a message.
    package mutating func detected(_ detection: Detection, _ now: Instant) {
        guard epoch.isRunning else { return }
        switch detection {
        case .answered(let time):
            received(.detector, evidence: [], now)
            answerIsOnItsWay(received: time)
        case .seen:
            epoch.lastData = now
            received(.detector, evidence: [], now)
        case .failed:
            failed(.detector, .detector, evidence: [], now)
        case .notSent:
            failed(.couldNotSend, .detector, evidence: [], now)
        }
    }

    // MARK: Verdicts

    @inline(never)
    mutating func failed(_ failure: HeartbeatFailure, _ subject: HeartbeatNote.Subject, evidence: [UInt8], _ now: Instant) {
        totals.failed &+= 1
        let count = epoch.failures.failed(subject)
        note(.failed(failure, inARow: count), subject, evidence: [UInt8](evidence.prefix(HeartbeatNote.evidenceMax)))
        judge(failuresInARow: count)
    }

    private mutating func judge(failuresInARow count: Int) {
        guard let threshold = configuration.failureThreshold, count >= threshold else { return }
        condemn(.failures(count))
    }

    /// The connection is to be ended: said once.
    @inline(never)
    mutating func condemn(_ verdict: HeartbeatVerdict) {
        guard !epoch.isCondemned, configuration.failureThreshold != nil else { return }
        epoch.isCondemned = true
        outputs.append(.verdict(verdict))
    }

    /// When the peer last showed that it is there, by what counts for that.
    var lastSignOfLife: Instant {
        switch configuration.liveness {
        case .anyReceived: epoch.lastBytes
        case .pong: epoch.lastAck
        case .data: epoch.lastData
        }
    }

    // MARK: Health

    mutating func healthChanged(_ change: Change<Health>?) {
        guard change != nil else { return }
        var worst = epoch.pingHealth.health
        for beat in epoch.beats { worst = .worse(worst, beat.health.health) }
        for watch in epoch.watches { worst = .worse(worst, watch.health.health) }
        if let change = epoch.health.update(worst) { note(.healthChanged(from: change.previous, to: change.current), .connection()) }
    }

    package var snapshot: HeartbeatSnapshot {
        var snapshot = HeartbeatSnapshot()
        snapshot.health = epoch.health.value
        snapshot.quality = epoch.quality.value
        snapshot.failuresInARow = epoch.failures.most
        snapshot.responses = epoch.responses
        snapshot.latency = epoch.latency
        snapshot.roundTrips = roundTrips
        snapshot.totals = totals
        snapshot.times = times
        snapshot.isRunning = epoch.isRunning
        snapshot.pingInterval = epoch.pings?.interval
        snapshot.isPingedFaster = epoch.pings.map { $0.interval < configuration.ping?.interval ?? .zero } ?? false
        snapshot.lastBytes = epoch.lastBytes
        snapshot.lastData = epoch.lastData
        return snapshot
    }
}

/// How the heartbeats of a connection stand, for other threads.
package struct HeartbeatSnapshot {
    package var health = Health.unknown
    package var quality = Quality.unknown
    package var failuresInARow = 0
    package var responses = ResponseTimes()
    /// Of the last timestamp.
    package var latency: OneWayLatency?
    package var roundTrips = RoundTripWindow()
    package var totals = HeartbeatTotals()
    /// Of all connections of the handle, as the totals.
    package var times = TimeBuckets()
    package var isRunning = false
    /// Nil if no pings are sent.
    package var pingInterval: Interval?
    /// The way is bad, and the interval shorter for it.
    package var isPingedFaster = false
    package var lastBytes = Instant(nanoseconds: 0)
    package var lastData = Instant(nanoseconds: 0)

    package init() {}
}
