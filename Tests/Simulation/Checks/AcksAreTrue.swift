import Heartbeat
import Session

/// A ping or beat counts as acknowledged only if the server has acknowledged it on the same connection; so nothing that an earlier connection
/// left behind, and nothing that a server makes up, counts.
final class AcksAreTrue: Checker {
    private struct Truth {
        var pings: Set<[UInt8]> = []
        var beats: Set<Int> = []
        /// True acknowledgements that the server has sent, less those that were counted.
        var pongsLeft = 0
        var acksLeft = 0
    }

    private var truths: [Int: Truth] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .serverGot(let got): take(got)
        case .serverSent(let peer, .pong(let payload)):
            if truths[peer.number]?.pings.remove(payload) != nil { truths[peer.number]?.pongsLeft += 1 }
        case .serverSent(let peer, .ack(let number, _)):
            if truths[peer.number]?.beats.remove(number) != nil { truths[peer.number]?.acksLeft += 1 }
        case .event(let event):
            switch event.kind {
            case .heartbeat(let note):
                if case .beatAcked(let roundTrip, _) = note.kind { acked(note.subject, roundTrip, event.epoch) }
            case .closed: if let connection = client.connection(event.epoch) { truths[connection.number] = nil }
            default: break
            }
        default: break
        }
    }

    private func take(_ got: Got) {
        switch got.what {
        case .ping(let payload): if payload.count == 8 { truths[got.peer.number, default: Truth()].pings.insert(payload) }
        case .beat(let number): truths[got.peer.number, default: Truth()].beats.insert(number)
        default: break
        }
    }

    private func acked(_ subject: HeartbeatNote.Subject, _ roundTrip: Interval, _ epoch: UInt64) {
        guard let connection = client.connection(epoch) else { return fail("an acknowledgement from nowhere") }
        let number = connection.number
        switch subject {
        case .ping:
            let left = truths[number]?.pongsLeft ?? 0
            expect(left > 0, "a ping counts as acknowledged, and the server has not answered one on connection \(number)")
            truths[number]?.pongsLeft -= 1
        default:
            let left = truths[number]?.acksLeft ?? 0
            expect(left > 0, "a beat counts as acknowledged, and the server has not answered one on connection \(number)")
            truths[number]?.acksLeft -= 1
        }
        // Sleep takes time away from the client's clock only.
        guard world.machine.standstill == .zero else { return }
        let least = connection.line.toServer.quality.latency + connection.line.toClient.quality.latency
        expect(roundTrip >= least, "a round trip of \(roundTrip.text) where light takes \(least.text)")
    }
}
