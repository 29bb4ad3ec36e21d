import Session
import WebSocket

/// What a server sends on a connection reaches the application unchanged and in order, as far as the connection carries it, and all of it if
/// the server closes properly; and nothing of another connection.
final class MessagesAreDelivered: Checker {
    /// What the server has sent on each connection, and how much of it was delivered or left out.
    private var sent: [Int: [[UInt8]]] = [:]
    private var delivered: [Int: Int] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .serverSent(let peer, let item):
            if let payload = item.message { sent[peer.number, default: []].append(payload) }
        case .delivered(let payload, let epoch), .leftOut(let payload, let epoch): deliver(payload, epoch)
        case .event(let event):
            guard case .closed(_, _, let failure) = event.kind, let connection = client.connection(event.epoch) else { return }
            if case .closedByPeer? = failure { checkAllDelivered(connection) }
            (sent[connection.number], delivered[connection.number]) = (nil, nil)
        default: break
        }
    }

    private func deliver(_ payload: [UInt8], _ epoch: UInt64) {
        guard let number = client.connection(epoch)?.number else { return fail("a message from nowhere") }
        let index = delivered[number, default: 0]
        guard let queue = sent[number], index < queue.count else {
            return fail("a message that connection \(number) did not send: \(String(decoding: payload.prefix(60), as: UTF8.self))")
        }
        expect(
            queue[index] == payload,
            "connection \(number) sent \(String(decoding: queue[index].prefix(60), as: UTF8.self)) as message \(index), delivered was "
                + String(decoding: payload.prefix(60), as: UTF8.self))
        delivered[number] = index + 1
    }

    private func checkAllDelivered(_ connection: Connection) {
        let (count, done) = (sent[connection.number]?.count ?? 0, delivered[connection.number, default: 0])
        expect(count == done, "connection \(connection.number) was closed by the server, and of \(count) messages \(done) were delivered")
    }
}
