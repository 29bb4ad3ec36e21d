import Heartbeat
import Session

/// The server's pings, and the requests that a rule answers, are answered at once, each once, on the connection that they came by.
final class AnswersAreInTime: Checker {
    private var disturbance = Disturbance()
    /// When what the server has asked arrived at the client, by connection and number.
    private var pings: [Int: [Int: Instant]] = [:]
    private var recent: [Instant] = []
    private var requests: [Int: [Int: Instant]] = [:]
    /// The world's time when each connection of the server's stopped answering, and since when it was not disturbed.
    private var stopped: [Int: (time: Instant, undisturbedSince: Instant)] = [:]

    private var hasHeartbeats: Bool { plan.session.heartbeat.ping != nil || plan.session.heartbeat.rules != nil }

    override func see(_ fact: Fact) {
        switch fact {
        case .pingArrived(let peer, let number, let time):
            pinged(peer.number, number, time)
        case .requestArrived(let peer, let number, let time):
            if plan.answersRequests { requests[peer.number, default: [:]][number] = time }
        case .serverGot(let got): take(got)
        case .settled: look()
        case .event(let event):
            if ends(event) { stop(event.epoch) }
            guard case .rotation(.switched, _, _) = event.kind, !hasHeartbeats else { return }
            // The old one may have said its last word: nothing tells when it does.
            for connection in client.connections where connection.isOpen && connection.epoch != event.epoch { stop(connection.epoch) }
        case .closeAsked, .releaseAsked: for connection in client.connections where connection.isOpen { stop(connection.epoch) }
        case .serverEnded(let peer): checkNoneLeft(peer)
        default: break
        }
    }

    /// Of a flood of pings, as they are read, only the latest need be answered.
    private func pinged(_ connection: Int, _ number: Int, _ time: Instant) {
        recent = recent.filter { time - $0 < .seconds(2) } + [time]
        if recent.count * 2 > plan.session.pongsPerSecondMax {
            pings[connection] = pings[connection]?.filter { time - $0.value >= .seconds(2) }
        } else {
            pings[connection, default: [:]][number] = time
        }
    }

    private func look() { disturbance.look(client) }

    private func ends(_ event: Event) -> Bool {
        switch event.kind {
        case .closed: true
        case .heartbeat(let note): if case .stopped = note.kind { true } else { false }
        default: false
        }
    }

    private func stop(_ epoch: UInt64) {
        look()
        guard let connection = client.connection(epoch), stopped[connection.number] == nil else { return }
        stopped[connection.number] = (world.timeline.now, disturbance.last)
    }

    private func take(_ got: Got) {
        switch got.what {
        case .pong(let payload):
            let numbers = Wording.numbers(payload)
            guard numbers.count == 2, numbers[0] == got.peer.number else { return fail("a pong for what was not asked: \(payload)") }
            // A later pong stands for earlier ones, but only a flood of pings is answered so.
            check(pings[got.peer.number]?.removeValue(forKey: numbers[1]), "ping \(numbers[0]).\(numbers[1])", got)
        case .reply(let connection, let number):
            guard connection == got.peer.number else { return fail("connection \(got.peer.number) got an answer for \(connection)") }
            guard plan.answersRequests, let arrived = requests[connection]?.removeValue(forKey: number) else {
                return fail("a reply to \(connection).\(number) that is one too many")
            }
            check(arrived, "request \(connection).\(number)", got)
        default: break
        }
    }

    private func check(_ arrived: Instant?, _ name: String, _ got: Got) {
        look()
        guard let arrived, disturbance.last < arrived else { return }
        let time = got.acceptedAt - arrived
        expect(time <= tolerance, "\(name) was answered after \(time.text)")
    }

    /// A turn reads four times the buffer, and what has arrived before may fill the kernel's.
    private var tolerance: Interval {
        let turns = world.network.receiveBufferMax / (4 * plan.readSize)
        return world.plan.lateness * Int64(8 + turns) + .milliseconds(1)
    }

    private func checkNoneLeft(_ peer: Peer) {
        defer { (pings[peer.number], requests[peer.number]) = (nil, nil) }
        // Without heartbeats nothing tells when a connection that fails has said its last word.
        guard hasHeartbeats, let end = stopped[peer.number] else { return }
        for (name, arrivals) in [("ping", pings[peer.number]), ("request", requests[peer.number])] {
            for (number, arrived) in (arrivals ?? [:]).sorted(by: { $0.key < $1.key })
            where arrived + tolerance < end.time && end.undisturbedSince < arrived {
                return fail("\(name) \(peer.number).\(number) was not answered")
            }
        }
    }
}
