import Session
import WebSocket

/// What a server sends on a connection reaches the application unchanged and in order, as far as the connection carries it; all of it if the
/// server closes properly; and nothing of an earlier connection.
final class MessagesAreDelivered: Checker {
    private var line: Line?
    /// The connection that the server has on each line.
    private var connections: [Int: Int] = [:]
    /// Sent and not delivered yet, by connection.
    private var underway: [Int: [[UInt8]]] = [:]
    private var delivered: [Int: Int] = [:]

    private var connection: Int? { line.flatMap { connections[$0.number] } }

    override func see(_ fact: Fact) {
        switch fact {
        case .transportOpened(let opened): line = opened
        case .serverOpened(let peer): connections[peer.line.number] = peer.number
        case .serverSent(let peer, let sent):
            if let payload = sent.message { underway[peer.number, default: []].append(payload) }
        case .delivered(let payload, _): deliver(payload)
        case .event(let event):
            if case .closed(_, _, .closedByPeer?) = event.kind { checkAllDelivered() }
        case .serverEnded(let peer): if peer.number != connection { underway[peer.number] = nil }
        default: break
        }
    }

    private func deliver(_ payload: [UInt8]) {
        guard let connection else { return fail("a message from nowhere") }
        let index = delivered[connection, default: 0]
        guard let queue = underway[connection], index < queue.count else {
            return fail("a message that connection \(connection) did not send: \(String(decoding: payload.prefix(60), as: UTF8.self))")
        }
        expect(
            queue[index] == payload,
            "connection \(connection) sent \(String(decoding: queue[index].prefix(60), as: UTF8.self)) as message \(index), delivered was "
                + String(decoding: payload.prefix(60), as: UTF8.self))
        delivered[connection] = index + 1
    }

    private func checkAllDelivered() {
        guard let connection else { return }
        let (sent, count) = (underway[connection]?.count ?? 0, delivered[connection, default: 0])
        expect(sent == count, "connection \(connection) was closed by the server, and of \(sent) messages \(count) were delivered")
    }
}
