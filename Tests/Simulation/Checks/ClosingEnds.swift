import Heartbeat
import Session
import WebSocket

/// A close that the application asks for is over within close.timeout, in the state disconnected; without failure only if the server has
/// got, or the kernel had, all that was queued; and a release ends everything at once.
final class ClosingEnds: Checker {
    private var asked: Mark?
    private var cutOff: Mark?
    private var released: Mark?

    override func see(_ fact: Fact) {
        switch fact {
        case .cutOffAsked: if client.closeAsked != nil { cutOff = mark }
        case .closeAsked: if asked == nil && !client.isOver { asked = mark }
        case .releaseAsked: released = mark
        case .released: released = nil
        case .event(let event):
            guard case .closed(_, let byPeer, let failure) = event.kind else { return }
            // What could not be sent is no secret.
            guard event.state == .closing, client.active?.epoch == event.epoch else { return }
            if failure == nil { expect(client.driver.queuedMessages == 0, "closed as asked, and messages were not sent") }
            // What stands behind the beginning of an unfinished message cannot be sent.
            if case .closedByPeer? = failure, !plan.sendsParts, !client.wasClosedByServer(event.epoch) {
                expect(byPeer, "the server has answered the close frame, and messages were not sent")
            }
        case .settled, .audit, .ended: check()
        default: break
        }
    }

    private func check() {
        if let released { expect(now - released.time <= slack(since: released), "the release takes longer than a turn") }
        if let cutOff, !client.isOver, !client.isReleaseAsked {
            expect(now - cutOff.time <= slack(since: cutOff), "cutting off takes longer than a turn")
        }
        guard let asked, !client.isOver, !client.isReleaseAsked else { return }
        let time = now - asked.time
        expect(
            time <= plan.session.closeTimeout + slack(since: asked), "closing was asked for \(time.text) ago, and it is not over")
    }
}
