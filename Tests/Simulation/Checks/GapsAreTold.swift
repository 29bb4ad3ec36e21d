import Heartbeat
import Session

/// After a loss the next connection tells the gap once: since when nothing was heard, until now, when the last message came, and how many own
/// messages are in doubt, of which there are never fewer than were lost.
final class GapsAreTold: Checker {
    private struct Loss {
        let number: Int
        let began: Instant
        /// Of those of one turn that two connections deliver some may come after the loss.
        let lastMessages: [Instant?]
        var inDoubt: UInt64?
    }

    private var lastBytes: [UInt64: Instant] = [:]
    private var lastMessage: Instant?
    /// The last one of an earlier turn.
    private var messageBefore: Instant?
    private var isReady: Set<UInt64> = []
    private var losses: [Loss] = []
    private var lost: [Int: UInt64] = [:]
    private var sent: [Int: UInt64] = [:]
    private var isAwaited = false
    /// Old connections of rotations, and how many messages were told to be in doubt.
    private var rotatedAway: [(number: Int, inDoubt: UInt64)] = []

    override func see(_ fact: Fact) {
        switch fact {
        case .read(let bytes, let epoch): if bytes > 0 { lastBytes[epoch] = now }
        case .delivered, .leftOut:
            if let lastMessage, lastMessage < now { messageBefore = lastMessage }
            lastMessage = now
        case .serverGot(let got):
            guard case .message = got.what else { return }
            sent[got.peer.number, default: 0] += 1
            if got.isLost { lost[got.peer.number, default: 0] += 1 }
        case .event(let event): take(event)
        case .settled: expect(!isAwaited, "connected again after a loss, and no gap is told")
        case .nothingUnderway: checkDoubts()
        default: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .opened: lastBytes[event.epoch] = event.time
        case .stateChanged where event.state == .connected:
            isReady.insert(event.epoch)
            isAwaited = isLossUntold
        case .rotation(.switched, _, _):
            isReady.insert(event.epoch)
            isAwaited = isLossUntold
        case .closed: closed(event)
        case .rotation(.finished, _, let inDoubt):
            if let number = client.connection(event.epoch)?.number { rotatedAway.append((number, inDoubt)) }
        case .gap(let gap, let ended): told(gap, ended, event)
        default: break
        }
    }

    private var isLossUntold: Bool { losses.last.map { $0.inDoubt == nil } ?? false }

    private func closed(_ event: Event) {
        guard let connection = client.active, connection.epoch == event.epoch, event.state != .closing, !isLossUntold else { return }
        let lastMessages = lastMessage == event.time ? [lastMessage, messageBefore] : [lastMessage]
        losses.append(Loss(number: connection.number, began: lastBytes[event.epoch] ?? event.time, lastMessages: lastMessages))
    }

    private func told(_ gap: Gap, _ ended: Instant, _ event: Event) {
        isAwaited = false
        guard let loss = losses.last, loss.inDoubt == nil else { return fail("a gap is told, and nothing was lost") }
        losses[losses.count - 1].inDoubt = gap.inDoubt
        expect(event.state == .connected || client.closeAsked != nil, "a gap ends in the state \(event.state)")
        expect(gap.began == loss.began, "the gap began at \(gap.began.text), the last byte came at \(loss.began.text)")
        expect(ended == event.time, "the gap ended at \(ended.text), which is told at \(event.time.text)")
        let (told, last) = (gap.lastMessage, loss.lastMessages[0])
        expect(
            loss.lastMessages.contains(told),
            "the last message is said to have come at \(told?.text ?? "never"), it came at \(last?.text ?? "never")")
    }

    private func checkDoubts() {
        for loss in losses {
            if let inDoubt = loss.inDoubt { check(inDoubt, loss.number) }
        }
        for (number, inDoubt) in rotatedAway { check(inDoubt, number) }
    }

    private func check(_ inDoubt: UInt64, _ number: Int) {
        let (lost, sent) = (lost[number, default: 0], sent[number, default: 0])
        expect(inDoubt >= lost, "\(inDoubt) messages of connection \(number) are said to be in doubt, \(lost) were lost")
        expect(inDoubt <= sent, "\(inDoubt) messages of connection \(number) are said to be in doubt, \(sent) were sent")
    }
}
