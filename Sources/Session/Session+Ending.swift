import Heartbeat
import WebSocket

/// How attempts and connections end, and what follows.
extension Session {
    mutating func closeReceived(_ link: Link, _ frame: CloseFrame, _ now: Instant, _ outboxes: inout Outboxes) {
        // The server is the first to end the transport (RFC 6455 section 7.1.1).
        let deadline = configuration.role == .server ? now : now + configuration.closeTimeout
        switch link.phase {
        case .opening, .open, .closing:
            let byPeer = !outboxes[link.place].hasSentClose
            outboxes[link.place].closeNow(CloseFrame(code: frame.code, reason: []))
            drain(link, Link.Ending(frame: frame, byPeer: byPeer, failure: .closedByPeer(frame)), deadline, now)
        case .idle, .preparing, .connecting, .handshaking, .answering, .draining:
            return
        }
    }

    /// `timeout`: how long the peer may take to answer the close frame.
    @inline(never)
    mutating func failConnection(
        _ link: Link, _ failure: Failure, _ frame: CloseFrame, timeout: Interval, _ now: Instant, _ outboxes: inout Outboxes
    ) {
        switch link.phase {
        case .opening, .open, .closing:
            outboxes[link.place].closeNow(frame)
            drain(link, Link.Ending(frame: frame, byPeer: false, failure: failure), now + timeout, now)
        case .idle, .preparing, .connecting, .handshaking, .answering, .draining:
            return
        }
    }

    /// An end that the application has asked for is not put off.
    @inline(never)
    private mutating func drain(_ link: Link, _ ending: Link.Ending, _ deadline: Instant, _ now: Instant) {
        var earliest = deadline
        if case .closing(let asked?) = link.phase { earliest = min(asked, deadline) }
        if let (_, asked) = closesAfterOpening { earliest = min(asked, earliest) }
        link.phase = .draining(ending, deadline: earliest)
        endHeartbeats(link, now)
    }

    /// The close frame has gone as far as it could, and no answer is waited for.
    mutating func endIfNotAwaited(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        if case .draining(let ending, let deadline) = link.phase, now >= deadline { end(link, ending, now, &outboxes) }
    }

    /// An attempt came to nothing: try again later, or give up.
    @inline(never)
    mutating func attemptFailed(_ link: Link, _ failure: Failure, _ now: Instant, _ outboxes: inout Outboxes) {
        outboxes[link.place].connectionEnded()
        link.visitor.attemptEnded(failure.hostHealth, now)
        reportCircuit(link, now)
        attemptOver(link, failure, now, &outboxes)
    }

    private mutating func attemptOver(_ link: Link, _ failure: Failure, _ now: Instant, _ outboxes: inout Outboxes) {
        // A client that is not let in has failed nothing of ours.
        if configuration.role == .client {
            metrics.attemptsFailed &+= 1
            metrics.errors &+= 1
        }
        if closedByApplication {
            emit(.attemptFailed(failure, attempt: attempts, delay: nil), link, now)
            finish(.disconnected, reason: nil, now, &outboxes)
            return
        }
        if link.place == active { backoff.recordFailure() } else { rotation.backoff.recordFailure() }
        let next = delay(after: failure, link.place == active ? backoff : rotation.backoff)
        let delay = next?.delay
        emit(.attemptFailed(failure, attempt: link.place == active ? attempts : rotation.attempts, delay: delay), link, now)
        if link.place != active {
            successorFailed(link, failure, retryAfter: delay, now, &outboxes)
        } else if let (delay, least) = next {
            waitForNextAttempt(delay, least: least, reason: failure, now)
        } else {
            finish(.failed, reason: failure, now, &outboxes)
        }
    }

    /// The application has closed and has no more time: what has not ended is cut off.
    package mutating func cutOff(_ now: Instant, _ outboxes: inout Outboxes) {
        guard case .live = phase, closedByApplication else { return }
        switch activeLink.phase {
        case .closing: cutOff(activeLink, now, &outboxes)
        case .draining(let ending, _): end(activeLink, ending, now, &outboxes)
        case .idle, .preparing, .connecting, .handshaking, .answering, .opening, .open: cutOffAttempt(now, &outboxes)
        }
    }

    /// What was to be sent before the end has not come to it.
    mutating func cutOffAttempt(_ now: Instant, _ outboxes: inout Outboxes) {
        guard let (frame, _) = closesAfterOpening else { return }
        closesAfterOpening = nil
        metrics.wasCutOff = true
        if activeLink.isEstablished {
            failConnection(activeLink, .transport(closeTimeout), frame, timeout: .zero, now, &outboxes)
        } else {
            finish(.disconnected, reason: nil, now, &outboxes)
        }
    }

    /// The peer has not answered the close frame in time.
    mutating func cutOff(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        if link.place == active { metrics.wasCutOff = true }
        let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
        end(link, Link.Ending(frame: frame, byPeer: false, failure: .transport(closeTimeout)), now, &outboxes)
    }

    /// An established connection is over: report it, then go on as its place and its reason ask.
    mutating func end(_ link: Link, _ ending: Link.Ending, _ now: Instant, _ outboxes: inout Outboxes) {
        let inDoubt = messagesInDoubt(link, outboxes)
        endOutbox(link.place, &outboxes)
        endHeartbeats(link, now)
        guard link.place == active else {
            endInactive(link, ending, inDoubt: inDoubt, now, &outboxes)
            return
        }
        // Closing as asked is no failure, unless messages were cut off by it.
        let isAllSent = outboxes[active].queuedMessages == 0 && metrics.messagesUnsent == 0
        let failure = closedByApplication && isAllSent ? nil : ending.failure
        emit(.closed(frame: ending.frame, byPeer: ending.byPeer, failure: failure), link, now)
        metrics.openedAt = nil
        guard let failure, !closedByApplication else {
            finish(.disconnected, reason: nil, now, &outboxes)
            return
        }
        guard link.isReady else {
            attemptOver(link, failure, now, &outboxes)
            return
        }
        if gap == nil, let lastBytesAt = link.lastBytesAt {
            gap = Gap(began: lastBytesAt, lastMessage: metrics.lastMessageAt, inDoubt: inDoubt)
        }
        if !Self.isCleanClose(failure) { metrics.errors &+= 1 }
        if rotation.hasSuccessor {
            promoteSuccessor(link, reason: failure, now, &outboxes)
        } else {
            reconnect(link, after: failure, now, &outboxes)
        }
    }

    /// What does not outlive its connection and was to be sent before the application's close is unsent for good.
    private mutating func endOutbox(_ place: LinkPlace, _ outboxes: inout Outboxes) {
        let before = outboxes[place].lostMessages
        outboxes[place].connectionEnded()
        guard closedByApplication else { return }
        metrics.messagesUnsent &+= outboxes[place].lostMessages.count &- before.count
        metrics.bytesUnsent &+= outboxes[place].lostMessages.bytes &- before.bytes
    }

    /// Messages handed to the kernel on this connection that the peer has not shown to have arrived.
    private func messagesInDoubt(_ link: Link, _ outboxes: borrowing Outboxes) -> UInt64 {
        let handedOver = outboxes[link.place].messagesHandedOver
        return handedOver &- min(link.arrivals.arrived, handedOver)
    }

    /// Of a rotation: the old connection has retired, or the new one was lost before it was of use.
    private mutating func endInactive(
        _ link: Link, _ ending: Link.Ending, inDoubt: UInt64, _ now: Instant, _ outboxes: inout Outboxes
    ) {
        guard rotation.hasSuccessor else {
            emitClosedOld(link, ending, now)
            // What came before the close frame arrived before it.
            retired(link, inDoubt: ending.isClosedByPeer && !ending.byPeer ? 0 : inDoubt, now)
            return
        }
        emit(.closed(frame: ending.frame, byPeer: ending.byPeer, failure: ending.failure), link, now)
        if let failure = ending.failure { attemptOver(link, failure, now, &outboxes) }
    }

    private mutating func reconnect(_ link: Link, after failure: Failure, _ now: Instant, _ outboxes: inout Outboxes) {
        if Self.isCleanClose(failure) && !configuration.reconnects {
            finish(.disconnected, reason: nil, now, &outboxes)
            return
        }
        dropWaitingRotation(failure, now)
        rotation.due = nil
        let isStable = isStable(link, now)
        // A server that sends everybody away again and again is given the usual time.
        let isFollowedAtOnce = isNotice(failure) && (isStable || backoff.failures == 0)
        if isStable { backoff.reset() } else { backoff.recordFailure() }
        if let (delay, least) = delay(after: failure, backoff) {
            waitForNextAttempt(isFollowedAtOnce ? .zero : delay, least: isFollowedAtOnce ? .zero : least, reason: failure, now)
        } else {
            finish(.failed, reason: failure, now, &outboxes)
        }
    }

    static let noMemoryForCompression = TransportFailure(
        kind: .system, nativeCode: 0, sentence: "there is no memory for the streams of permessage-deflate")

    var closeTimeout: TransportFailure {
        let sentence = "the time to close ran out before everything was sent and \(configuration.role.peerName) had answered"
        return TransportFailure(kind: .lost, nativeCode: 0, sentence: sentence)
    }

    private static func isCleanClose(_ failure: Failure) -> Bool {
        guard case .closedByPeer(let frame) = failure else { return false }
        return [CloseCode.normal, CloseCode.goingAway, CloseCode.noStatus].contains(frame.code)
    }

    /// When the next attempt follows, and how much of that the server asked for; nil if none does.
    private mutating func delay(after failure: Failure, _ backoff: Backoff) -> (delay: Interval, least: Interval)? {
        if case .heartbeat = failure, !configuration.heartbeat.reconnectsAfterFailure { return nil }
        guard configuration.reconnects else { return nil }
        switch configuration.retry.decision(after: failure, wasEstablished: lastEpoch > 0, backoff, &random) {
        case .final: return nil
        case .retry(let delay, let least): return (delay, least)
        }
    }

    /// The connection has lasted so long that earlier failures count no more.
    func isStable(_ link: Link, _ now: Instant) -> Bool {
        link.openedAt.map { now >= $0 + configuration.stableAfter } ?? false
    }

    /// The server is to be followed to a new connection at once.
    private func isNotice(_ failure: Failure) -> Bool {
        guard configuration.rotateOnNotice == .all, case .closedByPeer(let frame) = failure else { return false }
        return [CloseCode.goingAway, CloseCode.serviceRestart].contains(frame.code)
    }

    private mutating func waitForNextAttempt(_ delay: Interval, least: Interval, reason: Failure, _ now: Instant) {
        closeLink(activeLink, now)
        phase = .waiting(until: now + delay, notBefore: now + least)
        change(to: .reconnecting, reason: reason, delay: delay, now)
    }

    /// The place is free again.
    mutating func closeLink(_ link: Link, _ now: Instant) {
        actions.append(.closeTransport(link.place))
        link.visitor.leave(now)
        link.handshake = nil
        link.script = nil
        link.phase = .idle
    }

    mutating func finish(_ final: State, reason: Failure?, _ now: Instant, _ outboxes: inout Outboxes) {
        endOther(now, &outboxes)
        endOutbox(active, &outboxes)
        outboxes[active].seal()
        metrics.messagesUnsent &+= UInt64(outboxes[active].queuedMessages)
        metrics.bytesUnsent &+= UInt64(outboxes[active].queuedBytes)
        outboxes[active].discardQueue()
        reportOutcomes(now, &outboxes)
        closeLink(activeLink, now)
        phase = .ended
        change(to: final, reason: reason, now)
    }

    /// A connection that is not needed any more may be closed by whoever is first.
    private mutating func emitClosedOld(_ link: Link, _ ending: Link.Ending, _ now: Instant) {
        emit(.closed(frame: ending.frame, byPeer: ending.byPeer, failure: ending.isClosedByPeer ? nil : ending.failure), link, now)
    }

    /// What is left in the other place ends with the session.
    private mutating func endOther(_ now: Instant, _ outboxes: inout Outboxes) {
        guard let link = existingLink(active.other) else { return }
        if case .idle = link.phase { return }
        let isEstablished = link.isEstablished
        let inDoubt = messagesInDoubt(link, outboxes)
        outboxes[link.place].connectionEnded()
        endHeartbeats(link, now)
        if case .draining(let ending, _) = link.phase {
            emitClosedOld(link, ending, now)
        } else if isEstablished {
            let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
            emit(.closed(frame: frame, byPeer: false, failure: nil), link, now)
        }
        if rotation.isRetiring { retired(link, inDoubt: inDoubt, now) } else { closeLink(link, now) }
        rotation.phase = .none
    }
}
