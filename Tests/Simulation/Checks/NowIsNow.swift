import Session
import WebSocket

/// A message that is to be sent now goes by the connection that was there, or by the one that a rotation put in its place, and never by one
/// that was made after a loss; without a connection it is refused.
final class NowIsNow: Checker {
    /// How many connections were lost while messages went by them.
    private var losses = 0
    private var lossesBefore: [UInt64: Int] = [:]
    private var epochs: [Int: UInt64] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .event(let event):
            switch event.kind {
            case .closed: if client.active?.epoch == event.epoch { losses += 1 }
            case .stateChanged where event.state == .connected, .rotation(.switched, _, _):
                lossesBefore[event.epoch] = losses
                if let number = client.connection(event.epoch)?.number { epochs[number] = event.epoch }
            default: break
            }
        case .serverGot(let got): take(got)
        default: break
        }
    }

    private func take(_ got: Got) {
        guard case .message(_, let payload) = got.what, let number = Wording.numbers(payload).first, let message = client.outgoing[number],
            message.options.isNow
        else { return }
        guard message.epoch > 0, let accepted = lossesBefore[message.epoch] else {
            return fail("message \(number) was to be sent now, and was accepted while there was no connection")
        }
        guard let epoch = epochs[got.peer.number], let sent = lossesBefore[epoch] else {
            return fail("message \(number) went by a connection that is not open yet")
        }
        expect(
            accepted == sent, "message \(number) was to be sent now, on connection \(message.epoch), and was sent on \(epoch) after a loss")
    }
}
