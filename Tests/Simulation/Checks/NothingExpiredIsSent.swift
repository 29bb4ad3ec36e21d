import Heartbeat
import Session

/// A message whose time to live has run out is not begun any more.
final class NothingExpiredIsSent: Checker {
    private var disturbance = Disturbance()

    override func see(_ fact: Fact) {
        switch fact {
        case .settled: disturbance.look(client)
        case .serverGot(let got): take(got)
        default: break
        }
    }

    private func take(_ got: Got) {
        guard case .message(_, let payload) = got.what, let number = Wording.numbers(payload).first, let message = client.outgoing[number],
            let expiry = message.options.expiry, let connection = client.connections.last(where: { $0.number == got.peer.number })
        else { return }
        expect(connection.openedAt.time < expiry, "message \(number) has expired, and was sent on a later connection")
        // One that had begun in time may take longer to its end.
        disturbance.look(client)
        let late = got.acceptedAt - world.machine.worldTime(of: expiry)
        guard late > world.plan.lateness * 4 + .milliseconds(1), disturbance.last < got.acceptedAt - (late + .seconds(1)) else { return }
        expect(message.isUnfinished || plan.sendsParts, "message \(number) was sent \(late.text) after it had expired")
    }
}

extension Instant {
    fileprivate static func - (instant: Instant, interval: Interval) -> Instant {
        Instant(nanoseconds: instant.nanoseconds - interval.nanoseconds)
    }
}
