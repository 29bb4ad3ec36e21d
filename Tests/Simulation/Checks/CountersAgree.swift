import Session

/// The counters say what happened.
final class CountersAgree: Checker {
    private var received: UInt64 = 0
    private var leftOut: UInt64 = 0
    private var failed: UInt64 = 0
    private var rotations: UInt64 = 0
    private var messages: UInt64 = 0
    private var pongs: UInt64 = 0
    private var outcomes: [Outcome: UInt64] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .delivered: received += 1
        case .leftOut:
            received += 1
            leftOut += 1
        case .serverGot(let got):
            switch got.what {
            case .message, .kept, .login, .beat, .reply: messages += 1
            case .pong: pongs += 1
            case .ping, .close, .broken, .foreign: break
            }
        case .event(let event):
            switch event.kind {
            case .attemptFailed: failed += 1
            case .rotation(.finished, _, _): rotations += 1
            case .outcome(let stretch): outcomes[stretch.outcome, default: 0] += stretch.count
            default: break
            }
        case .nothingUnderway: check()
        default: break
        }
    }

    private func check() {
        func same(_ name: String, _ count: UInt64, _ truth: UInt64) { expect(count == truth, "\(name) is \(count), and must be \(truth)") }
        let metrics = client.driver.metrics
        let sent = client.driver.sent
        same("messages_received", metrics.messagesReceived, received)
        same("duplicates_dropped", metrics.duplicatesDropped, leftOut)
        same("messages_sent", sent.messagesSent, messages)
        same("pongs_sent", sent.pongsSent, pongs)
        // The last events are not told after a release.
        guard !client.isReleaseAsked else { return }
        same("attempts_failed", metrics.attemptsFailed, failed)
        same("rotations", metrics.rotations, rotations)
        let counts = client.driver.outcomes
        same("queue_expired", counts.expired, outcomes[.expired] ?? 0)
        same("queue_dropped", counts.dropped, outcomes[.dropped] ?? 0)
        same("queue_cancelled", counts.cancelled, outcomes[.cancelled] ?? 0)
    }
}
