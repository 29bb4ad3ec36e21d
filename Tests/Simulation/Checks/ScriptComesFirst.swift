import Heartbeat
import Session

/// The opening script runs on every connection, with what was learned on that connection; before it is done nothing else is sent and the state
/// is not connected; and one that gets no answer ends the connection within its timeout.
final class ScriptComesFirst: Checker {
    private var welcomed: Set<Int> = []
    private var logins: Set<Int> = []
    private var pause = Pause()
    private var waiting: [UInt64: Mark] = [:]

    override func see(_ fact: Fact) {
        guard plan.script != .none else { return }
        switch fact {
        case .serverGot(let got): take(got)
        case .serverSent(let peer, let sent): if sent.message == Wording.welcome { welcomed.insert(peer.number) }
        case .event(let event): take(event)
        case .releaseAsked, .released: waiting = [:]
        // The time to answer stands still while nobody reads.
        case .settled: if pause.isOn(client) { waiting = waiting.mapValues { _ in mark } }
        case .audit:
            if pause.isOn(client) { waiting = waiting.mapValues { _ in mark } }
            // A message in parts that has begun on the old connection takes the time that the application takes.
            if !plan.sendsParts { checkWaiting() }
        default: break
        }
    }

    private func take(_ got: Got) {
        switch got.what {
        case .login(let learned):
            expect(logins.insert(got.peer.number).inserted, "connection \(got.peer.number) got two logins")
            if plan.script == .dialogue {
                expect(learned == got.peer.number, "connection \(got.peer.number) got a login with what \(learned ?? 0) had said")
            }
        case .message, .kept:
            let isDone = plan.script == .sends ? logins.contains(got.peer.number) : welcomed.contains(got.peer.number)
            expect(isDone, "connection \(got.peer.number) got \(got.what.text) before the opening script was done")
        default: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .opened: waiting[event.epoch] = mark
        case .closed: waiting[event.epoch] = nil
        case .stateChanged where event.state == .connected, .rotation(.switched, _, _):
            waiting[event.epoch] = nil
            guard plan.script == .dialogue, let number = client.connection(event.epoch)?.number else { return }
            expect(welcomed.contains(number), "messages go by connection \(number), where nobody has been welcomed")
        case .stateChanged where event.state == .closing: waiting = [:]
        default: break
        }
    }

    /// Two steps that wait, the end of the switch in a rotation, and the close handshake.
    private func checkWaiting() {
        for (epoch, since) in waiting.sorted(by: { $0.key < $1.key }) {
            let time = now - since.time
            let bound = plan.session.scriptTimeout * 2 + plan.session.closeTimeout * 2 + slack(since: since)
            expect(time <= bound, "the opening of connection \(epoch) has taken \(time.text), the bound is \(bound.text)")
        }
    }
}
