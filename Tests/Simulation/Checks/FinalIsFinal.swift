import Heartbeat
import Session
import WebSocket

/// What a person must mend first ends in the state failed, and what time may mend is tried again, until the attempts are used up.
final class FinalIsFinal: Checker {
    private var failures = 0
    private var openedAt = Instant(nanoseconds: 0)
    private var expected: State?

    override func see(_ fact: Fact) {
        switch fact {
        case .event(let event): expected = expectation(after: event) ?? expected
        case .settled:
            if let expected { expect(client.driver.state == expected, "the state is \(client.driver.state) where it must be \(expected)") }
            expected = nil
        default: break
        }
    }

    /// The state that must follow an end.
    private func expectation(after event: Event) -> State? {
        switch event.kind {
        case .opened:
            openedAt = event.time
            return nil
        case .attemptFailed(let failure, _, let delay):
            failures += 1
            let retries = isRetried(failure)
            expect(retries == (delay != nil), "\(failure.name) after \(failures) failures: \(delay == nil ? "no " : "")attempt follows")
            return retries ? .reconnecting : .failed
        case .closed(let frame, _, let failure):
            failures = event.time >= openedAt + plan.session.stableAfter ? 0 : failures + 1
            guard let failure, event.state != .closing else { return .disconnected }
            let isClean = if case .closedByPeer = failure { [1000, 1001, 1005].contains(frame.code) } else { false }
            return isRetried(failure) ? .reconnecting : isClean && !plan.session.reconnects ? .disconnected : .failed
        default:
            return nil
        }
    }

    private func isRetried(_ failure: Failure) -> Bool {
        guard plan.session.reconnects else { return false }
        let max = plan.session.backoff.attemptsMax
        if max > 0 && failures >= max { return false }
        switch failure {
        case .transport(let failure):
            return failure.kind != .certificate
        case .handshake(.refused(let refusal)): return [408, 425, 429].contains(refusal.status) || refusal.status >= 500
        case .handshake: return false
        case .closedByPeer(let frame): return ![1002, 1003, 1007, 1008, 1010].contains(frame.code)
        case .heartbeat: return plan.session.heartbeat.reconnectsAfterFailure
        case .connectTimeout, .handshakeTimeout, .protocolViolation, .slowConsumer: return true
        }
    }
}
