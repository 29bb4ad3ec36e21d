import Heartbeat
import Session

/// The queue stays within its limits; a message is refused only if there is a reason; and after a refusal for lack of space WRITABLE comes, once,
/// when there is room.
final class QueueIsBounded: Checker {
    private var awaitsWritable = false
    private var refusals = 0
    private var writables = 0
    private var refusedAt: Instant?
    private var messageRefusedAt: Instant?
    /// The most that was refused since the last WRITABLE.
    private var refusedSize = 0
    /// When the last WRITABLE was made out; it is delivered a turn later.
    private var writableAt = Instant(nanoseconds: 0)
    private var hasRoomSince: Mark?

    override func see(_ fact: Fact) {
        switch fact {
        case .refused(let admission, let size, let isNow): checkRefusal(admission, size, isNow)
        case .keepRefused(.full, _):
            // If there was no room among the kept messages no WRITABLE follows.
            refusals += 1
            refusedAt = now
        case .accepted:
            expect(client.closeAsked == nil && !client.isOver, "a message is accepted after the end")
            checkLimits()
        case .event(let event):
            if event.state.isFinal { awaitsWritable = false }
            guard case .writable = event.kind else { return }
            // A message that comes in parts has a WRITABLE of its own.
            writables += 1
            expect(writables <= refusals, "WRITABLE for the time number \(writables), and \(refusals) messages were refused")
            guard !plan.sendsParts else { return }
            expect(refusedAt.map { $0 >= writableAt } ?? false, "WRITABLE, and nothing was refused since \(writableAt.text)")
            writableAt = event.time
            awaitsWritable = messageRefusedAt.map { $0 > event.time } ?? false
            if !awaitsWritable { refusedSize = 0 }
        case .settled: checkLimits()
        case .audit: checkWritable()
        default: break
        }
    }

    private var isHalfEmpty: Bool {
        client.driver.queuedMessages <= plan.outbox.messagesMax / 2 && client.driver.queuedBytes <= plan.outbox.bytesMax / 2
            && client.driver.queuedBytes + refusedSize <= plan.outbox.bytesMax
    }

    private func checkLimits() {
        expect(client.driver.queuedMessages <= plan.outbox.messagesMax, "\(client.driver.queuedMessages) messages are queued")
        // A foremost message that comes in parts gets its room though those behind it fill the queue.
        let bytesMax = plan.outbox.bytesMax * (plan.sendsParts ? 2 : 1)
        expect(client.driver.queuedBytes <= bytesMax, "\(client.driver.queuedBytes) bytes are queued")
    }

    private func checkRefusal(_ admission: Outbox.Admission, _ size: Int, _ isNow: Bool) {
        let hasRoom = client.driver.queuedMessages < plan.outbox.messagesMax && client.driver.queuedBytes + size <= plan.outbox.bytesMax
        switch admission {
        case .full:
            expect(!hasRoom || plan.sendsParts, "a message is refused as if the queue were full")
            // For a part there may be room when its message has become the foremost, and once more when the queue is half empty.
            refusals += plan.sendsParts ? 2 : 1
            awaitsWritable = !plan.sendsParts
            refusedSize = max(refusedSize, size)
            (refusedAt, messageRefusedAt) = (now, now)
        case .tooLarge: expect(size > plan.outbox.bytesMax, "a message of \(size) bytes is refused as too large")
        case .closed:
            let isOver = client.isOver || client.closeAsked != nil || client.isReleaseAsked
            expect(isOver, "a message is refused as if the connection were closing")
        case .notConnected: expect(isNow, "a message that may wait is refused because there is no connection")
        case .accepted, .unknownMessage, .notUTF8: fail("a message is refused with \(admission)")
        }
    }

    private func checkWritable() {
        guard awaitsWritable, isHalfEmpty, !client.isOver, client.closeAsked == nil, !client.isReleaseAsked else {
            hasRoomSince = nil
            return
        }
        if let hasRoomSince {
            let waited = now - hasRoomSince.time
            expect(waited <= .seconds(1) + slack(since: hasRoomSince), "WRITABLE does not come")
        }
        if hasRoomSince == nil { hasRoomSince = mark }
    }
}
