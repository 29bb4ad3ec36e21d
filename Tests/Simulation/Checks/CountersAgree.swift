import Session

/// The counters say what happened.
final class CountersAgree: Checker {
    private var delivered: UInt64 = 0
    private var opened: UInt64 = 0
    private var failed: UInt64 = 0
    private var messages: UInt64 = 0
    private var pongs: UInt64 = 0

    override func see(_ fact: Fact) {
        switch fact {
        case .delivered: delivered += 1
        case .serverGot(let got):
            switch got.what {
            case .message, .beat, .reply: messages += 1
            case .pong: pongs += 1
            default: break
            }
        case .event(let event):
            switch event.kind {
            case .opened: opened += 1
            case .attemptFailed: failed += 1
            default: break
            }
        case .nothingUnderway: check()
        default: break
        }
    }

    private func check() {
        let received = client.driver.received
        expect(received.messagesReceived == delivered, "messages_received \(received.messagesReceived), delivered \(delivered)")
        expect(received.attemptsFailed == failed, "attempts_failed \(received.attemptsFailed), events \(failed)")
        expect(received.reconnections == max(1, opened) - 1, "reconnections \(received.reconnections), connections \(opened)")
        let sent = client.driver.sent
        expect(sent.messagesSent == messages, "messages_sent \(sent.messagesSent), the server or the kernel had \(messages)")
        expect(sent.pongsSent == pongs, "pongs_sent \(sent.pongsSent), the server or the kernel had \(pongs)")
    }
}
