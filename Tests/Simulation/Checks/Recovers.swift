import Session

/// Once faults have ended and servers are honest, every connection that has not ended for good is open, and its queue is empty.
final class Recovers: Checker {
    override func see(_ fact: Fact) {
        guard case .ended = fact, !client.isReleaseAsked else { return }
        let state = client.driver.state
        if client.closeAsked != nil {
            expect(state.isFinal, "closing was asked for, and the state is \(state)")
        } else if !state.isFinal {
            expect(state == .connected, "the state is \(state) after all was calm for minutes")
            expect(client.driver.queuedMessages == 0, "\(client.driver.queuedMessages) messages still wait after all was calm for minutes")
        }
    }
}
