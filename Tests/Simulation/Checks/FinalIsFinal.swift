import Heartbeat
import Session
import WebSocket

/// What a person must mend first ends in the state failed, and what time may mend is tried again, until the attempts are used up. A
/// rotation that fails leaves the old connection as it is.
final class FinalIsFinal: Checker {
    private var failures = 0
    private var openedAt: [UInt64: Instant] = [:]
    private var expected: Set<State> = []
    private var hasSuccessor = false

    override func see(_ fact: Fact) {
        switch fact {
        case .attemptBegan: hasSuccessor = client.active != nil
        case .event(let event): take(event)
        case .settled:
            let state = client.driver.state
            expect(
                expected.isEmpty || expected.contains(state),
                "the state is \(state), and must be one of \(expected.map { "\($0)" }.sorted())")
            expected = []
        default: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .opened: openedAt[event.epoch] = event.time
        case .connectDue: hasSuccessor = client.active != nil
        case .attemptHeld, .stateChanged, .rotation(.switched, _, _): hasSuccessor = false
        case .attemptFailed(let failure, _, let delay): attemptFailed(failure, delay)
        case .closed(let frame, _, let failure): closed(event, frame, failure)
        default: break
        }
    }

    private func attemptFailed(_ failure: Failure, _ delay: Interval?) {
        hasSuccessor = false
        // After a close no attempt follows; and those of rotations are counted apart.
        guard client.closeAsked == nil, client.active == nil || plan.session.backoff.attemptsMax == 0 else { return }
        if client.active == nil { failures += 1 }
        let retries = isRetried(failure)
        expect(
            retries == (delay != nil), "\(failure.name) after \(failures) failures: \(delay == nil ? "no " : "an ")attempt follows")
        if client.active == nil { expected = [retries ? .reconnecting : .failed] }
    }

    private func closed(_ event: Event, _ frame: CloseFrame, _ failure: Failure?) {
        guard client.active?.epoch == event.epoch else { return }
        guard let failure, event.state != .closing else {
            expected = [.disconnected]
            return
        }
        guard !hasSuccessor else {
            expected = [.connected, .reconnecting, .failed]
            return
        }
        let isStable = event.time >= (openedAt[event.epoch] ?? event.time) + plan.session.stableAfter
        failures = isStable ? 0 : failures + 1
        let isClean = if case .closedByPeer = failure { [1000, 1001, 1005].contains(frame.code) } else { false }
        expected = [isRetried(failure) ? .reconnecting : isClean && !plan.session.reconnects ? .disconnected : .failed]
    }

    private func isRetried(_ failure: Failure) -> Bool {
        guard plan.session.reconnects else { return false }
        let max = plan.session.backoff.attemptsMax
        if max > 0 && failures >= max { return false }
        switch failure {
        case .transport(let failure): return failure.kind != .certificate
        case .handshake(.refused(let refusal)): return [408, 425, 429].contains(refusal.status) || refusal.status >= 500
        // Before a first connection it is no server of ours; after one something may stand in for it.
        case .handshake: return !client.connections.isEmpty
        case .closedByPeer(let frame): return ![1002, 1003, 1007, 1008, 1010].contains(frame.code)
        case .heartbeat: return plan.session.heartbeat.reconnectsAfterFailure
        case .connectTimeout, .handshakeTimeout, .protocolViolation, .slowConsumer, .beforeConnect, .script, .accepting: return true
        }
    }
}
