import Heartbeat
import Session

/// A ping or beat counts as acknowledged only if the server has acknowledged it on the same connection; so nothing that an earlier connection
/// left behind, and nothing that a server makes up, counts.
final class AcksAreTrue: Checker {
    private var line: Line?
    private var connections: [Int: Int] = [:]
    private var pings: [Int: Set<[UInt8]>] = [:]
    private var beats: [Int: Set<Int>] = [:]
    /// True acknowledgements that the server has sent, less those that were counted.
    private var pongsLeft: [Int: Int] = [:]
    private var acksLeft: [Int: Int] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .transportOpened(let opened): line = opened
        case .serverOpened(let peer): connections[peer.line.number] = peer.number
        case .serverGot(let got): take(got)
        case .serverSent(let peer, .pong(let payload)):
            if pings[peer.number]?.remove(payload) != nil { pongsLeft[peer.number, default: 0] += 1 }
        case .serverSent(let peer, .ack(let number, _)):
            if beats[peer.number]?.remove(number) != nil { acksLeft[peer.number, default: 0] += 1 }
        case .serverEnded(let peer): (pings[peer.number], beats[peer.number]) = (nil, nil)
        case .event(let event):
            guard case .heartbeat(let note) = event.kind, case .beatAcked(let roundTrip, _) = note.kind else { return }
            acked(note.subject, roundTrip)
        default: break
        }
    }

    private func take(_ got: Got) {
        switch got.what {
        case .ping(let payload): if payload.count == 8 { pings[got.peer.number, default: []].insert(payload) }
        case .beat(let number): beats[got.peer.number, default: []].insert(number)
        default: break
        }
    }

    private func acked(_ subject: HeartbeatNote.Subject, _ roundTrip: Interval) {
        guard let line, let connection = connections[line.number] else { return fail("an acknowledgement from nowhere") }
        switch subject {
        case .ping:
            let left = pongsLeft[connection, default: 0]
            expect(left > 0, "a ping counts as acknowledged, and the server has not answered one on connection \(connection)")
            pongsLeft[connection] = left - 1
        default:
            let left = acksLeft[connection, default: 0]
            expect(left > 0, "a beat counts as acknowledged, and the server has not answered one on connection \(connection)")
            acksLeft[connection] = left - 1
        }
        // Sleep takes time away from the client's clock only.
        guard world.machine.standstill == .zero else { return }
        let least = line.toServer.quality.latency + line.toClient.quality.latency
        expect(roundTrip >= least, "a round trip of \(roundTrip.text) where light takes \(least.text)")
    }
}
