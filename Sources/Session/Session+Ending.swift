import Heartbeat
import WebSocket

/// How attempts and connections end, and what follows.
extension Session {
    mutating func closeReceived(_ frame: CloseFrame, _ now: Instant, _ outbox: inout Outbox) {
        let deadline = now + configuration.closeTimeout
        switch phase {
        case .open:
            outbox.closeNow(CloseFrame(code: frame.code, reason: []))
            drain(Ending(frame: frame, byPeer: true, failure: .closedByPeer(frame)), deadline, now)
        case .closing:
            let byPeer = !outbox.hasClosed
            outbox.closeNow(CloseFrame(code: frame.code, reason: []))
            drain(Ending(frame: frame, byPeer: byPeer, failure: .closedByPeer(frame)), deadline, now)
        case .idle, .waiting, .connecting, .handshaking, .draining, .ended:
            return
        }
    }

    /// `timeout`: how long the peer may take to answer the close frame.
    mutating func failConnection(
        _ failure: Failure, _ frame: CloseFrame, timeout: Interval, _ now: Instant, _ outbox: inout Outbox
    ) {
        switch phase {
        case .open, .closing:
            outbox.closeNow(frame)
            drain(Ending(frame: frame, byPeer: false, failure: failure), now + timeout, now)
        case .idle, .waiting, .connecting, .handshaking, .draining, .ended:
            return
        }
    }

    mutating func drain(_ ending: Ending, _ deadline: Instant, _ now: Instant) {
        phase = .draining(ending, deadline: deadline)
        endHeartbeats(now)
    }

    /// The close frame has gone as far as it could, and no answer is waited for.
    mutating func endIfNotAwaited(_ now: Instant, _ outbox: inout Outbox) {
        if case .draining(let ending, let deadline) = phase, now >= deadline { end(ending, now, &outbox) }
    }

    /// An attempt came to nothing: try again later, or give up.
    mutating func attemptFailed(_ failure: Failure, _ now: Instant, _ outbox: inout Outbox) {
        outbox.connectionEnded()
        metrics.attemptsFailed &+= 1
        metrics.errors &+= 1
        backoff.recordFailure()
        let retries = mayRetry(after: failure)
        let delay = backoff.delay(&random)
        emit(.attemptFailed(failure, attempt: attempts, delay: retries ? delay : nil), now)
        if retries {
            waitForNextAttempt(delay, reason: failure, now)
        } else {
            finish(.failed, reason: failure, now, &outbox)
        }
    }

    /// An established connection is over: report it, then reconnect, rest or give up.
    mutating func end(_ ending: Ending, _ now: Instant, _ outbox: inout Outbox) {
        outbox.connectionEnded()
        endHeartbeats(now)
        let isStable = metrics.openedAt.map { now >= $0 + configuration.stableAfter } ?? false
        metrics.openedAt = nil
        // Closing as asked is no failure, unless messages were cut off by it.
        let failure = closedByApplication && outbox.queuedMessages == 0 ? nil : ending.failure
        emit(.closed(frame: ending.frame, byPeer: ending.byPeer, failure: failure), now)
        guard let failure, !closedByApplication else {
            finish(.disconnected, reason: nil, now, &outbox)
            return
        }
        let isClean = Self.isCleanClose(failure)
        if !isClean { metrics.errors &+= 1 }
        if isClean && !configuration.reconnects {
            finish(.disconnected, reason: nil, now, &outbox)
            return
        }
        if isStable { backoff.reset() } else { backoff.recordFailure() }
        if mayRetry(after: failure) {
            waitForNextAttempt(backoff.delay(&random), reason: failure, now)
        } else {
            finish(.failed, reason: failure, now, &outbox)
        }
    }

    static let noMemoryForCompression = TransportFailure(
        kind: .system, nativeCode: 0, sentence: "there is no memory for the streams of permessage-deflate")

    static let closeTimeout = TransportFailure(
        kind: .lost, nativeCode: 0, sentence: "close.timeout ran out before everything was sent and the server had answered")

    private static func isCleanClose(_ failure: Failure) -> Bool {
        guard case .closedByPeer(let frame) = failure else { return false }
        return [CloseCode.normal, CloseCode.goingAway, CloseCode.noStatus].contains(frame.code)
    }

    func mayRetry(after failure: Failure) -> Bool {
        if case .heartbeat = failure, !configuration.heartbeat.reconnectsAfterFailure { return false }
        return configuration.reconnects && failure.isRetryable && !backoff.isExhausted
    }

    mutating func waitForNextAttempt(_ delay: Interval, reason: Failure, _ now: Instant) {
        actions.append(.closeTransport)
        handshake = nil
        phase = .waiting(until: now + delay)
        change(to: .reconnecting, reason: reason, now)
    }

    mutating func finish(_ final: State, reason: Failure?, _ now: Instant, _ outbox: inout Outbox) {
        outbox.connectionEnded()
        outbox.seal()
        outbox.discardQueue()
        actions.append(.closeTransport)
        handshake = nil
        phase = .ended
        change(to: final, reason: reason, now)
    }
}
