import WebSocket

/// What arrives: bytes, messages, pings and pongs.
extension HeartbeatEngine {
    /// More heartbeats in one message than any service sends are an attack: those beyond are not looked at.
    private static let heartbeatsMax = 64

    /// Bytes of any kind arrived.
    package mutating func bytesReceived(_ now: Instant) {
        guard epoch.isRunning else { return }
        epoch.lastBytes = now
        if configuration.liveness == .anyReceived { epoch.pings?.bytesReceived() }
    }

    /// A message arrived: true if `messageReceived` must look at it. Needs no lock, because nothing is touched that senders share.
    package mutating func isConcerned(by kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ now: Instant) -> Bool {
        guard epoch.isRunning, let rules else { return false }
        epoch.lastMessage = now
        return awaitsAnyMessage() || rules.mayConcern(kind, payload)
    }

    /// A part of a message arrived, which no rule looks into: true if `partReceived` must hear of it all the same. Needs no lock either.
    package mutating func isConcernedByPart(_ now: Instant) -> Bool {
        guard epoch.isRunning else { return false }
        epoch.lastMessage = now
        return awaitsAnyMessage()
    }

    package mutating func partReceived(_ now: Instant) {
        guard epoch.isRunning else { return }
        anyMessageReceived(now)
    }

    /// Runs the rules over a message, in the order of the language: learning, setup, the first reply that matches, acks, starts and restarts.
    /// True if the message was nothing but heartbeats, and the application does not want to see those.
    package mutating func messageReceived(
        _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ scratch: RuleScratch, _ now: Instant
    ) -> Bool {
        guard epoch.isRunning, let rules else { return false }
        anyMessageReceived(now)
        guard rules.mayConcern(kind, payload), let plain = configuration.decoded(kind, payload, scratch) else { return false }
        var isHeartbeat = false
        var isMixed = false
        var heartbeats = 0
        epoch.splitter.begin(plain, kind: kind)
        while !epoch.isCondemned, let bytes = epoch.splitter.next() {
            // Other connections' heartbeats wait meanwhile, and what is put out is kept in memory.
            guard heartbeats < Self.heartbeatsMax else {
                failed(.couldNotSend, .connection(), evidence: [], now)
                break
            }
            var unit = UnitView(bytes, kind: kind)
            guard unitReceived(&unit, rules, scratch, now) else {
                isMixed = true
                continue
            }
            isHeartbeat = true
            heartbeats += 1
        }
        return configuration.consumesHeartbeats && isHeartbeat && !isMixed
    }

    /// A ping arrived, and its pong is on its way.
    package mutating func pingReceived(_ payload: UnsafeRawBufferPointer, isReported: Bool = true, _ now: Instant) {
        guard epoch.isRunning else { return }
        if isReported { received(.ping, evidence: [UInt8](payload), now) } else { totals.received &+= 1 }
        answerIsOnItsWay(received: now)
        frameReceived(.ping, now)
    }

    package mutating func pongReceived(_ payload: UnsafeRawBufferPointer, _ now: Instant) {
        guard epoch.isRunning else { return }
        if payload.count == 8, let answer = epoch.pings?.pongReceived(UInt64(bigEndian: payload.loadUnaligned(as: UInt64.self)), now) {
            acknowledged(.ping, roundTrip: answer.roundTrip, isLate: answer.isLate, evidence: [], now)
            healthChanged(epoch.pingHealth.acknowledged(isLate: answer.isLate))
        }
        // A probe is an empty ping.
        if payload.isEmpty, epoch.probed != nil || epoch.watches.contains(where: { $0.isProbed }) { epoch.lastAck = now }
        for index in epoch.beats.indices {
            guard let ack = rules?.beats[index].ack, case .pongFrame = ack.on else { continue }
            let beat = epoch.beats[index].acknowledge(isCorrelated: false) { $0.payload.elementsEqual(payload) }
            if let beat { acknowledged(index, beat, evidence: [], now) }
        }
        frameReceived(.pong, now)
    }

    // MARK: Messages as such

    /// True while the mere arrival of a message settles something, so that it must not wait for a timer. Changes nothing; were it not
    /// mutating, the compiler would copy the engine for each message.
    private mutating func awaitsAnyMessage() -> Bool {
        guard let rules else { return false }
        for index in rules.beats.indices where !epoch.beats[index].pending.isEmpty {
            if let ack = rules.beats[index].ack, case .anyReceived = ack.on { return true }
        }
        for index in rules.watches.indices {
            guard case .anyReceived = rules.watches[index].on else { continue }
            if epoch.watches[index].hasStarted {
                if epoch.watches[index].isSilent || epoch.watches[index].health.health != .healthy { return true }
            } else if case .firstSeen = rules.watches[index].start {
                return true
            }
        }
        return false
    }

    private mutating func anyMessageReceived(_ now: Instant) {
        guard let rules else { return }
        epoch.lastMessage = now
        for index in rules.beats.indices {
            guard let ack = rules.beats[index].ack, case .anyReceived = ack.on else { continue }
            if let beat = epoch.beats[index].acknowledge(isCorrelated: false) { acknowledged(index, beat, evidence: [], now) }
        }
        for index in rules.watches.indices {
            if case .anyReceived = rules.watches[index].on { _ = seen(watch: index, now) }
        }
    }

    private mutating func frameReceived(_ frame: ExpectedFrame, _ now: Instant) {
        guard let rules else { return }
        for index in rules.watches.indices where rules.watches[index].on.isFrame(frame) {
            if seen(watch: index, now) { epoch.lastData = now }
        }
    }

    // MARK: Units

    /// True if any rule found its heartbeat in the unit.
    private mutating func unitReceived(_ unit: inout UnitView, _ rules: RuleSet, _ scratch: RuleScratch, _ now: Instant) -> Bool {
        learn(from: &unit, rules, scratch, now)
        for index in rules.setups.indices {
            if let on = rules.setups[index].on, on.holds(for: &unit, rules, scratch.scanner) { setUp(index, now) }
        }
        let isAnswered = answer(&unit, rules, scratch, now)
        let isAck = acknowledge(with: &unit, rules, scratch, now)
        for index in rules.beats.indices {
            if case .match(let start) = rules.beats[index].start, start.holds(for: &unit, rules, scratch.scanner) { startBeat(index, now) }
        }
        let isWatched = watch(&unit, rules, scratch, isAnswered: isAnswered, now)
        stamp(&unit, rules, scratch, now)
        for match in rules.reconnect.on where match.holds(for: &unit, rules, scratch.scanner) {
            let url = rules.reconnect.url.flatMap { $0.view(of: &unit, rules, scratch.scanner) }
            note(.reconnectAdvised(url: url.map { Self.plain($0) } ?? []), .connection(), evidence: unit.evidence)
        }
        return isAnswered || isAck || isWatched
    }

    /// What a JSON string says; nothing if the value is none.
    private static func plain(_ json: UnsafeRawBufferPointer) -> [UInt8] {
        do throws(JSONSyntaxError) {
            if case .string(let text) = try JSONNode.parse([UInt8](json)) { return text }
        } catch {
            return []
        }
        return []
    }

    private mutating func learn(from unit: inout UnitView, _ rules: RuleSet, _ scratch: RuleScratch, _ now: Instant) {
        var hasLearned = rules.learnsFromOutgoing
        for rule in rules.learns where !rule.isOutgoing && rule.on.holds(for: &unit, rules, scratch.scanner) {
            if variables?.learn(rule, from: &unit, scratch.scanner) == true { hasLearned = true }
        }
        if hasLearned { updateIntervals(now) }
    }

    private mutating func answer(_ unit: inout UnitView, _ rules: RuleSet, _ scratch: RuleScratch, _ now: Instant) -> Bool {
        for index in rules.replies.indices where rules.replies[index].on.holds(for: &unit, rules, scratch.scanner) {
            let rule = rules.replies[index]
            received(.reply(index), evidence: unit.evidence, now)
            scratch.captured.take(rule.take, from: &unit, rules, scratch.scanner)
            if let values = render(rule.send, scratch.captured, into: &scratch.body, now) {
                answerIsOnItsWay(received: now)
                transmit(.answer(reply: index, received: now), rule.send, scratch.body, values, now)
            } else {
                failed(.couldNotMake, .reply(index), evidence: unit.evidence, now)
            }
            return true
        }
        return false
    }

    private mutating func acknowledge(with unit: inout UnitView, _ rules: RuleSet, _ scratch: RuleScratch, _ now: Instant) -> Bool {
        var isAck = false
        for index in rules.beats.indices where !epoch.beats[index].pending.isEmpty {
            guard let ack = rules.beats[index].ack, case .match(let match) = ack.on, match.holds(for: &unit, rules, scratch.scanner) else {
                continue
            }
            let beat = epoch.beats[index].acknowledge(isCorrelated: !ack.equal.isEmpty) {
                ack.isCorrelated(&unit, with: $0.values, rules, scratch.scanner)
            }
            guard let beat else { continue }
            isAck = true
            acknowledged(index, beat, evidence: unit.evidence, now)
        }
        return isAck
    }

    private mutating func watch(_ unit: inout UnitView, _ rules: RuleSet, _ scratch: RuleScratch, isAnswered: Bool, _ now: Instant) -> Bool
    {
        var isSeen = false
        for index in rules.watches.indices {
            if case .match(let start) = rules.watches[index].start, start.holds(for: &unit, rules, scratch.scanner) {
                startWatch(index, now)
            }
            guard case .match(let on) = rules.watches[index].on, on.holds(for: &unit, rules, scratch.scanner), seen(watch: index, now)
            else { continue }
            epoch.lastData = now
            if configuration.liveness == .data { epoch.pings?.bytesReceived() }
            if !isAnswered && !isSeen { received(.watch(index), evidence: unit.evidence, now) }
            isSeen = true
        }
        return isSeen
    }

    /// True if the watch has begun, be it with this very message.
    private mutating func seen(watch index: Int, _ now: Instant) -> Bool {
        if !epoch.watches[index].hasStarted {
            guard let rules, case .firstSeen = rules.watches[index].start else { return false }
            startWatch(index, now)
        }
        healthChanged(epoch.watches[index].seen(now))
        return true
    }

    private mutating func stamp(_ unit: inout UnitView, _ rules: RuleSet, _ scratch: RuleScratch, _ now: Instant) {
        for rule in rules.stamps where rule.on.holds(for: &unit, rules, scratch.scanner) {
            guard let text = rule.capture.view(of: &unit, rules, scratch.scanner), let server = Timestamp.unixNanoseconds(text, rule.unit)
            else { continue }
            totals.timestamps &+= 1
            epoch.lastData = now
            let local = environment.unixNanoseconds(at: now)
            epoch.latency = epoch.clock.record(server: server, local: local, roundTrips: roundTrips, now)
        }
    }

    mutating func received(_ subject: HeartbeatNote.Subject, evidence: [UInt8], _ now: Instant) {
        totals.received &+= 1
        epoch.lastBeat = now
        note(.received, subject, evidence: evidence)
    }
}
