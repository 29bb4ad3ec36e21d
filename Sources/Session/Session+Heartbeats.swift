import Heartbeat
import WebSocket

/// The heartbeats of the open connection: messages for the rules to look at, and the engine's outputs carried out.
extension Session {
    /// False if no message need be shown to `isConcerned`.
    package func looksAtMessages(_ place: LinkPlace) -> Bool {
        configuration.heartbeat.rules != nil || link(place).script != nil || duplicates != nil
    }

    /// Heartbeats found no room on their way out, and are tried once more when something has been written.
    package func hasRefusedHeartbeats(_ place: LinkPlace) -> Bool { !link(place).refused.isEmpty }

    /// A message arrived: true if `messageReceived` must look at it. Touches nothing that senders share.
    package mutating func isConcerned(_ place: LinkPlace, by message: Message, _ now: Instant) -> Bool {
        let link = link(place)
        if link.script != nil || duplicates != nil { return true }
        switch message.part {
        case .whole: return link.heartbeats.isConcerned(by: message.kind, message.payload, now)
        case .first, .middle, .last: return link.heartbeats.isConcernedByPart(now)
        }
    }

    /// Runs heartbeat rules and opening script over a message; true if the application is not to see it.
    package mutating func messageReceived(
        _ place: LinkPlace, _ message: Message, _ scratch: RuleScratch, _ now: Instant, _ outboxes: inout Outboxes
    ) -> Bool {
        let link = link(place)
        var isConsumed = false
        switch message.part {
        case .whole: isConsumed = link.heartbeats.messageReceived(message.kind, message.payload, scratch, now)
        case .first, .middle, .last: link.heartbeats.partReceived(now)
        }
        carryOut(link, now, &outboxes)
        guard case .whole = message.part else { return isConsumed }
        if link.script != nil {
            link.script?.messageReceived(message.kind, message.payload, scratch, now)
            followScript(link, now, &outboxes)
        }
        return isConsumed || isDuplicate(link, message.payload, scratch)
    }

    /// To be called when the outbox has been written from: what it has handed over is reported, and what found no room is tried once more.
    /// True if there is more to write now, in whichever place.
    package mutating func written(_ place: LinkPlace, _ now: Instant, _ outboxes: inout Outboxes) -> Bool {
        guard let link = existingLink(place) else { return false }
        if outboxes[place].hasHandedOver {
            for handedOver in outboxes[place].takeHandedOver() {
                switch handedOver.frame {
                case .taken(let received): link.heartbeats.detected(.answered(received: received), handedOver.time)
                case .pong(let received): link.heartbeats.answerHandedOver(.ping, received: received, handedOver.time)
                case .heartbeat(.answer(let reply, let received)):
                    link.heartbeats.answerHandedOver(reply.map { .reply($0) } ?? .detector, received: received, handedOver.time)
                case .heartbeat(let purpose): link.heartbeats.beatHandedOver(purpose)
                }
            }
            carryOut(link, now, &outboxes)
        }
        // No frame may follow the close frame, so there is nothing more to beat for.
        if outboxes[place].hasClosed { endHeartbeats(link, now) }
        endIfNotAwaited(link, now, &outboxes)
        if case .answering = link.phase, outboxes[place].hasSentAll { finish(.disconnected, reason: nil, now, &outboxes) }
        let wasActive = active
        if case .switching = rotation.phase, place == active { changeOver(now, &outboxes) }
        guard !link.refused.isEmpty else { return active != wasActive }
        var retried: [OutgoingHeartbeat] = []
        swap(&retried, &link.refused)
        for heartbeat in retried where !outboxes[place].heartbeat(heartbeat) { link.heartbeats.couldNotSend(heartbeat, now) }
        carryOut(link, now, &outboxes)
        return true
    }

    mutating func pollHeartbeats(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        let place = link.place
        link.heartbeats.poll(now, lastMessageSent: outboxes[place].lastMessageSentAt, oldestAnswer: outboxes[place].oldestAnswerReceived)
        carryOut(link, now, &outboxes)
    }

    mutating func endHeartbeats(_ link: Link, _ now: Instant) {
        link.heartbeats.connectionEnded()
        link.refused = []
        for case .note(let note) in link.heartbeats.takeOutputs() { emit(.heartbeat(note), link, now) }
    }

    /// Sends, reports and judges what the engine has put out.
    mutating func carryOut(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        while link.heartbeats.hasOutput {
            // What led to a verdict is told before the end that it brings.
            var verdict: HeartbeatVerdict?
            for output in link.heartbeats.takeOutputs() {
                switch output {
                case .send(let heartbeat):
                    send(heartbeat, link, now, &outboxes)
                case .note(let note):
                    heed(note, link, now)
                    emit(.heartbeat(note), link, now)
                case .verdict(let failure):
                    verdict = failure
                }
            }
            if let verdict { heartbeatsFailed(link, verdict, now, &outboxes) }
        }
    }

    private mutating func send(_ heartbeat: OutgoingHeartbeat, _ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        guard outboxes[link.place].heartbeat(heartbeat) else {
            link.refused.append(heartbeat)
            return
        }
        switch heartbeat.purpose {
        case .ping, .probe, .beat: link.arrivals.beatSent(now, after: outboxes[link.place].messagesEncoded)
        case .setup, .answer: break
        }
    }

    private mutating func heed(_ note: HeartbeatNote, _ link: Link, _ now: Instant) {
        switch note.kind {
        case .beatMissed:
            metrics.beatsMissed &+= 1
        case .beatAcked(let roundTrip, _):
            if case .ping = note.subject { metrics.pongsReceived &+= 1 }
            link.arrivals.beatAcked(now, roundTrip: roundTrip)
        case .reconnectAdvised(let text):
            adviceReceived(link, text, now)
        default:
            break
        }
    }

    /// A peer of which nothing is heard will not answer our close frame either; one that is there has its time for it.
    private mutating func heartbeatsFailed(_ link: Link, _ verdict: HeartbeatVerdict, _ now: Instant, _ outboxes: inout Outboxes) {
        let isSilent = verdict.isOfSilence || link.isSilent
        let timeout = isSilent ? Interval.zero : configuration.closeTimeout
        let frame = configuration.heartbeat.closeFrame
        failConnection(link, .heartbeat(verdict, closeCode: frame.code), frame, timeout: timeout, now, &outboxes)
    }

    // MARK: Detectors

    /// What the host's own detector found in a message of the connection `epoch`; its answer is in the outbox already.
    package mutating func detected(_ detection: Detection, epoch: UInt64, _ now: Instant, _ outboxes: inout Outboxes) {
        guard let place = outboxes.place(ofEpoch: epoch) else { return }
        let link = link(place)
        link.heartbeats.detected(detection, now)
        carryOut(link, now, &outboxes)
    }
}
