import Heartbeat
import WebSocket

/// The heartbeats of the open connection: messages for the rules to look at, and the engine's outputs carried out.
extension Session {
    /// False if no message need be shown to `isConcerned`.
    package var hasHeartbeatRules: Bool { configuration.heartbeat.rules != nil }

    /// Heartbeats found no room on their way out, and are tried once more when something has been written.
    package var hasRefusedHeartbeats: Bool { !refused.isEmpty }

    /// A message arrived: true if `messageReceived` must look at it. Touches nothing that senders share.
    package mutating func isConcerned(by message: Message, _ now: Instant) -> Bool {
        switch message.part {
        case .whole: heartbeats.isConcerned(by: message.kind, message.payload, now)
        case .first, .middle, .last: heartbeats.isConcernedByPart(now)
        }
    }

    /// Runs the heartbeat rules over a message; true if the application is not to see it.
    package mutating func messageReceived(
        _ message: Message, _ scratch: RuleScratch, _ now: Instant, _ outbox: inout Outbox
    ) -> Bool {
        var isConsumed = false
        switch message.part {
        case .whole: isConsumed = heartbeats.messageReceived(message.kind, message.payload, scratch, now)
        case .first, .middle, .last: heartbeats.partReceived(now)
        }
        carryOut(now, &outbox)
        return isConsumed
    }

    /// To be called when the outbox has been written from: what it has handed over is reported, and what found no room is tried once more.
    /// True if there is more to write now.
    package mutating func written(_ now: Instant, _ outbox: inout Outbox) -> Bool {
        if outbox.hasHandedOver {
            for handedOver in outbox.takeHandedOver() {
                switch handedOver.frame {
                case .taken(let received): heartbeats.detected(.answered(received: received), handedOver.time)
                case .pong(let received): heartbeats.answerHandedOver(.ping, received: received, handedOver.time)
                case .heartbeat(.answer(let reply, let received)):
                    heartbeats.answerHandedOver(reply.map { .reply($0) } ?? .detector, received: received, handedOver.time)
                case .heartbeat(let purpose): heartbeats.beatHandedOver(purpose)
                }
            }
            carryOut(now, &outbox)
        }
        // No frame may follow the close frame, so there is nothing more to beat for.
        if outbox.hasClosed { endHeartbeats(now) }
        endIfNotAwaited(now, &outbox)
        guard !refused.isEmpty else { return false }
        var retried: [OutgoingHeartbeat] = []
        swap(&retried, &refused)
        for heartbeat in retried where !outbox.heartbeat(heartbeat) { heartbeats.couldNotSend(heartbeat, now) }
        carryOut(now, &outbox)
        return true
    }

    mutating func pollHeartbeats(_ now: Instant, _ outbox: inout Outbox) {
        heartbeats.poll(now, lastMessageSent: outbox.lastMessageSentAt, oldestAnswer: outbox.oldestAnswerReceived)
        carryOut(now, &outbox)
    }

    mutating func endHeartbeats(_ now: Instant) {
        heartbeats.connectionEnded()
        refused = []
        for case .note(let note) in heartbeats.takeOutputs() { emit(.heartbeat(note), now) }
    }

    /// Sends, reports and judges what the engine has put out.
    mutating func carryOut(_ now: Instant, _ outbox: inout Outbox) {
        while heartbeats.hasOutput {
            // What led to a verdict is told before the end that it brings.
            var verdict: HeartbeatVerdict?
            for output in heartbeats.takeOutputs() {
                switch output {
                case .send(let heartbeat):
                    if !outbox.heartbeat(heartbeat) { refused.append(heartbeat) }
                case .note(let note):
                    count(note)
                    emit(.heartbeat(note), now)
                case .verdict(let failure):
                    verdict = failure
                }
            }
            if let verdict { heartbeatsFailed(verdict, now, &outbox) }
        }
    }

    private mutating func count(_ note: HeartbeatNote) {
        switch (note.kind, note.subject) {
        case (.beatMissed, _):
            metrics.beatsMissed &+= 1
        case (.beatAcked, .ping):
            metrics.pongsReceived &+= 1
        default:
            break
        }
    }

    /// A peer that is not there will not answer our close frame either; one that is has its time for it.
    private mutating func heartbeatsFailed(_ verdict: HeartbeatVerdict, _ now: Instant, _ outbox: inout Outbox) {
        let timeout = verdict.isOfSilence ? Interval.zero : configuration.closeTimeout
        let frame = configuration.heartbeat.closeFrame
        failConnection(.heartbeat(verdict, closeCode: frame.code), frame, timeout: timeout, now, &outbox)
    }

    // MARK: Detectors

    /// What the host's own detector found in a message of the connection `epoch`; its answer is in the outbox already.
    package mutating func detected(_ detection: Detection, epoch: UInt64, _ now: Instant, _ outbox: inout Outbox) {
        guard epoch == self.epoch else { return }
        heartbeats.detected(detection, now)
        carryOut(now, &outbox)
    }
}
