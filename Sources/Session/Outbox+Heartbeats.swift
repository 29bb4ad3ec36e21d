import Heartbeat
import WebSocket

/// Pongs, pings and beats on their way out, and what the kernel has taken over of them.
extension Outbox {
    /// Answers a ping, or, not at once, with the next write: then only the latest of those that wait is answered.
    package func pong(_ payload: UnsafeRawBufferPointer, received: Instant, atOnce: Bool = true) {
        guard canSendFrames else { return }
        guard atOnce && unsentPongs < Self.unsentControlFramesMax else {
            postponedPong = ([UInt8](payload), received)
            return
        }
        postponedPong = nil
        putFrame(.pong, isFinal: true, payload)
        unsentPongs &+= 1
        marks.append(Mark(frame: .pong(received: received), opcode: .pong, wireEnd: wireWritten))
    }

    /// Sends a heartbeat ahead of queued messages. False if too many wait already. A ping or beat that finds an earlier one of its kind
    /// still here is left out: it could say no more than that one does.
    package func heartbeat(_ heartbeat: OutgoingHeartbeat) -> Bool {
        guard canSendFrames else { return false }
        switch heartbeat.opcode {
        case .ping:
            guard unsentPings < Self.unsentControlFramesMax else { return true }
            unsentPings &+= 1
            heartbeat.payload.withUnsafeBytes { putFrame(.ping, isFinal: true, $0) }
            marks.append(Mark(frame: .heartbeat(heartbeat.purpose), opcode: .ping, wireEnd: wireWritten))
        case .text, .binary:
            if case .beat = heartbeat.purpose, isWaiting(heartbeat.purpose) { return true }
            let unbegun = hasQueue ? queue.unbegunBeats : opening.unbegunBeats
            guard unsentBeats &+ pendingBeats.count &+ unbegun < Self.unsentBeatsMax else { return false }
            if case .answer(nil, let received) = heartbeat.purpose {
                handedOver.append(HandedOver(frame: .taken(received: received), time: received))
            }
            if heartbeat.followsQueue {
                if hasQueue { queue.enqueue(heartbeat) } else { opening.enqueue(heartbeat) }
            } else {
                pendingBeats.append(heartbeat)
                putPendingBeats()
            }
        }
        return true
    }

    func isWaiting(_ purpose: OutgoingHeartbeat.Purpose) -> Bool {
        if pendingBeats.contains(where: { $0.purpose == purpose }) || queue.holds(purpose) || opening.holds(purpose) { return true }
        for index in 0..<marks.count where marks[index].frame == .heartbeat(purpose) { return true }
        return false
    }

    /// When the request arrived whose answer has waited longest for the kernel; nil if none waits.
    package var oldestAnswerReceived: Instant? {
        var oldest = queue.oldestAnswerReceived ?? opening.oldestAnswerReceived
        func consider(_ received: Instant) { oldest = oldest.map { min($0, received) } ?? received }
        for index in 0..<marks.count {
            switch marks[index].frame {
            case .pong(let received), .heartbeat(.answer(_, let received)): consider(received)
            case .heartbeat, .taken: break
            }
        }
        for beat in pendingBeats {
            if case .answer(_, let received) = beat.purpose { consider(received) }
        }
        return oldest
    }

    /// True if there is something for `takeHandedOver`.
    package var hasHandedOver: Bool { !handedOver.isEmpty }

    /// What has been taken over of the present connection's heartbeats since the last call.
    package func takeHandedOver() -> [HandedOver] {
        defer { handedOver = [] }
        return handedOver
    }

    func tally(_ passed: Mark, _ now: Instant) {
        handedOver.append(HandedOver(frame: passed.frame, time: now))
        switch passed.opcode {
        case .pong:
            metrics.pongsSent &+= 1
            unsentPongs &-= 1
        case .ping:
            metrics.beatsSent &+= 1
            unsentPings &-= 1
        case .text, .binary, .continuation, .close:
            metrics.messagesSent &+= 1
            lastMessageSentAt = now
            unsentBeats &-= 1
            if case .heartbeat(.beat) = passed.frame { metrics.beatsSent &+= 1 }
        }
    }
}
