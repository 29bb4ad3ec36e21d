import Session
import WebSocket

/// An accepted message reaches the server once, unchanged and in order; it is lost only if the kernel had all of it when its connection
/// broke; and it is not sent again if the kernel had all of it.
final class MessagesAreSentOnce: Checker {
    /// The messages of each connection, in the order of the connections: the first and the last number.
    private var ranges: [(connection: Int, first: Int, last: Int)] = []
    private var closedWith: Set<Int> = []
    private var endedAsAsked = false

    override func see(_ fact: Fact) {
        switch fact {
        case .serverOpened(let peer): ranges.append((peer.number, 0, 0))
        case .serverGot(let got): take(got)
        case .event(let event): if case .closed(_, _, nil) = event.kind, event.state == .closing { endedAsAsked = true }
        case .nothingUnderway: checkAll()
        default: break
        }
    }

    private func take(_ got: Got) {
        expect(!closedWith.contains(got.peer.number), "connection \(got.peer.number): \(got.what.text) after the close frame")
        switch got.what {
        case .close: closedWith.insert(got.peer.number)
        case .foreign: fail("connection \(got.peer.number): a message that nobody sent")
        case .message(let kind, let payload): take(kind, payload, got)
        case .kept, .login, .beat, .reply, .ping, .pong, .broken: break
        }
    }

    private func take(_ kind: MessageKind, _ payload: [UInt8], _ got: Got) {
        guard let number = Wording.numbers(payload).first, let message = client.outgoing[number] else {
            return fail("connection \(got.peer.number): a message that was not accepted: \(got.what.text)")
        }
        expect(payload == message.payload && kind == message.kind, "message \(number) has changed on its way")
        expect(!message.hasArrived, "message \(number) arrived twice")
        expect(!message.wasLost, "message \(number) is sent again though the kernel had all of it")
        if got.isLost { message.wasLost = true } else { message.hasArrived = true }
        guard let index = ranges.lastIndex(where: { $0.connection == got.peer.number }) else { return fail("no such connection") }
        expect(number > ranges[index].last, "connection \(got.peer.number): message \(number) comes after \(ranges[index].last)")
        if ranges[index].first == 0 { ranges[index].first = number }
        ranges[index].last = number
    }

    private func checkAll() {
        var last = 0
        for range in ranges where range.first > 0 {
            expect(range.first > last, "message \(range.first) went by a later connection than message \(last)")
            last = range.last
        }
        guard endedAsAsked || client.driver.state == .connected && client.driver.queuedMessages == 0 else { return }
        for message in client.outgoing.values.sorted(by: { $0.number < $1.number }) where !message.wasSent {
            guard client.driver.outcome(of: message.id) == .sent else { continue }
            return fail("message \(message.number) was accepted and sent, and is nowhere")
        }
    }
}
