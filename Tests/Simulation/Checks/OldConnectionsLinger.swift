import Heartbeat
import Session

/// The old connection of a rotation is closed rotate.linger after the last message that was sent on it before the change, no sooner and no
/// later.
final class OldConnectionsLinger: Checker {
    private struct Old {
        let switched: Checker.Mark
        /// The world's time.
        let switchedAt: Instant
    }

    private var pause = Pause()
    /// By epoch.
    private var old: [UInt64: Old] = [:]
    /// When the kernel took each connection's messages, and its close frame, in the world's time.
    private var messages: [Int: [Instant]] = [:]
    private var closes: [Int: Instant] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .serverGot(let got): take(got)
        case .event(let event): take(event)
        case .closeAsked, .releaseAsked, .released: old = [:]
        case .settled: if pause.isOn(client) { startAnew() }
        case .audit:
            if pause.isOn(client) { startAnew() }
            for (epoch, old) in old { checkNotTooLong(epoch, old) }
        default: break
        }
    }

    /// What the application does not take may still hold an answer.
    private func startAnew() {
        for (epoch, present) in old { old[epoch] = Old(switched: mark, switchedAt: present.switchedAt) }
    }

    private func take(_ got: Got) {
        switch got.what {
        case .message, .kept, .login, .beat, .reply: messages[got.peer.number, default: []].append(got.acceptedAt)
        case .close: closes[got.peer.number] = got.acceptedAt
        case .ping, .pong, .broken, .foreign: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .rotation(.switched, _, _):
            for connection in client.connections where connection.isOpen && connection.epoch != event.epoch {
                old[connection.epoch] = Old(switched: mark, switchedAt: world.timeline.now)
            }
        case .closed(_, let byPeer, let failure):
            guard let number = client.connection(event.epoch)?.number else { return }
            if let old = old.removeValue(forKey: event.epoch), failure == nil, !byPeer { checkNotTooSoon(number, old) }
            (messages[number], closes[number]) = (nil, nil)
        default: break
        }
    }

    private func checkNotTooSoon(_ number: Int, _ old: Old) {
        guard let closed = closes[number], let last = messages[number]?.last(where: { $0 < old.switchedAt }) else { return }
        let time = closed - last
        expect(
            time + .microseconds(100) >= plan.session.rotateLinger,
            "connection \(number) was closed \(time.text) after its last message, and may linger for \(plan.session.rotateLinger.text)")
    }

    private func checkNotTooLong(_ epoch: UInt64, _ old: Old) {
        let time = now - old.switched.time
        let bound = plan.session.rotateLinger + plan.session.closeTimeout + slack(since: old.switched)
        expect(time <= bound, "the old connection \(epoch) has stood for \(time.text), the bound is \(bound.text)")
    }
}
