import Heartbeat
import WebSocket

/// How far a rotation is, for the application.
package enum RotationStep: Int32 {
    case started = 1
    case switched = 2
    case finished = 3
    case failed = 4
}

/// Where the change from one connection to the next is, and when it comes.
struct Rotation {
    enum Phase {
        case none
        /// For another try, to this URL.
        case waiting(URL, until: Instant)
        /// For the gate of the host there.
        case held(URL, until: Instant)
        /// The free place has the new connection's attempt, or its opening script.
        case opening
        /// The new connection stands. What has begun on the old one is still written there, not beyond the deadline.
        case switching(deadline: Instant)
        /// Messages go by the new connection. The old one stands until then, for what the peer answers to the last sent on it; nil while
        /// the application takes nothing.
        case lingering(until: Instant?)
        /// The old connection is closing.
        case retiring
    }

    var phase = Phase.none
    /// When the connection has reached the age to be replaced at.
    var due: Instant?
    var attempts = 0
    /// Of the attempts for successors, and of the advice that young connections get.
    var backoff: Backoff
    /// The application was told of a beginning, and of no end.
    var isAnnounced = false
    /// The new connection may be behind the old one, and repeat what that has delivered, until then.
    var overlapEnd: Instant?
    /// Where the service asked for the new connection.
    var url: URL?

    init(_ backoff: Backoff.Configuration) {
        self.backoff = Backoff(backoff)
    }

    var deadline: Instant? {
        switch phase {
        case .none: earliest(due, overlapEnd)
        case .waiting(_, let until), .held(_, let until): earliest(until, overlapEnd)
        case .switching(let deadline): deadline
        case .lingering(let until): until
        case .opening, .retiring: nil
        }
    }

    /// True while the free place has a connection to come.
    var hasSuccessor: Bool {
        switch phase {
        case .opening, .switching: true
        case .none, .waiting, .held, .lingering, .retiring: false
        }
    }

    /// True from the change over to the end of the old connection.
    var isRetiring: Bool {
        switch phase {
        case .lingering, .retiring: true
        case .none, .waiting, .held, .opening, .switching: false
        }
    }
}

/// The next connection is made before the present one is given up: both deliver until the old one is closed, and messages are sent by one of
/// them at a time.
extension Session {
    /// Opens a new connection and changes over to it. With a rotation under way, or without a connection, it does nothing.
    package mutating func rotate(_ now: Instant) {
        guard case .live = phase, case .open = activeLink.phase else { return }
        switch rotation.phase {
        case .none, .waiting: break
        case .held, .opening, .switching, .lingering, .retiring: return
        }
        announceRotation(to: configuration.url, now)
        beginSuccessor(configuration.url, now)
    }

    /// The service advised a new connection, at the URL `text` if that is one. Advice that comes to young connections again and again is
    /// followed with the delays of reconnecting.
    mutating func adviceReceived(_ link: Link, _ text: [UInt8], _ now: Instant) {
        guard link.place == active, configuration.rotateOnNotice != .off else { return }
        guard case .live = phase, case .open = link.phase, case .none = rotation.phase else { return }
        let url = advisedURL(text)
        announceRotation(to: url, now)
        let isFollowedAtOnce = rotation.backoff.failures == 0
        rotation.backoff.recordFailure()
        if isFollowedAtOnce {
            beginSuccessor(url, now)
        } else {
            rotation.phase = .waiting(url, until: now + rotation.backoff.delay(&random))
        }
    }

    /// What is secret stays so, whatever a message says.
    private func advisedURL(_ text: [UInt8]) -> URL {
        guard let url = try? URL(parsing: text), url.isSecure || !configuration.url.isSecure else { return configuration.url }
        return url
    }

    private mutating func announceRotation(to url: URL, _ now: Instant) {
        rotation.due = nil
        rotation.attempts = 0
        rotation.url = url
        if isStable(activeLink, now) { rotation.backoff.reset() }
        guard !rotation.isAnnounced else { return }
        rotation.isAnnounced = true
        emit(.rotation(.started), now)
    }

    private mutating func rotationFailed(_ failure: Failure?, _ link: Link, _ now: Instant) {
        rotation.isAnnounced = false
        emit(.rotation(.failed, failure: failure), link, now)
    }

    private mutating func rotationFinished(_ old: Link, inDoubt: UInt64, _ now: Instant) {
        rotation.isAnnounced = false
        metrics.rotations &+= 1
        emit(.rotation(.finished, inDoubt: inDoubt), old, now)
    }

    /// Gives up a rotation that waits for its next attempt: there is no connection any more that it could replace.
    mutating func dropWaitingRotation(_ reason: Failure?, _ now: Instant) {
        switch rotation.phase {
        case .waiting, .held: break
        case .none, .opening, .switching, .lingering, .retiring: return
        }
        rotation.phase = .none
        link(active.other).visitor.leave(now)
        if rotation.isAnnounced { rotationFailed(reason, activeLink, now) }
    }

    private mutating func beginSuccessor(_ url: URL, _ now: Instant) {
        rotation.phase = .opening
        beginAttempt(link(active.other), to: url, now)
    }

    /// Up to a twentieth earlier than asked for, by lot, so that connections that were opened together are not replaced together.
    mutating func scheduleRotation(from begin: Instant?) {
        rotation.due = nil
        guard let age = configuration.rotateAfter, let begin else { return }
        let earlier = random.next(through: UInt64(max(0, age.nanoseconds / 20)))
        rotation.due = begin + Interval(nanoseconds: age.nanoseconds - Int64(earlier))
    }

    mutating func pollRotation(_ now: Instant, _ outboxes: inout Outboxes) {
        if let end = rotation.overlapEnd, now >= end { endOverlap() }
        switch rotation.phase {
        case .none:
            guard let due = rotation.due, now >= due else { return }
            rotation.due = nil
            rotate(now)
        case .waiting(let url, let until), .held(let url, let until):
            guard now >= until else { return }
            // A connection that is ending has no use for a successor.
            if case .open = activeLink.phase { beginSuccessor(url, now) } else { dropWaitingRotation(nil, now) }
        case .switching:
            changeOver(now, &outboxes)
        case .lingering(let until):
            if let until, now >= until { retire(link(active.other), now, &outboxes) }
        case .opening, .retiring:
            return
        }
    }

    /// The new connection came to nothing. The old one stays; a later try follows if one may help.
    mutating func successorFailed(
        _ link: Link, _ failure: Failure, retryAfter delay: Interval?, _ now: Instant, _ outboxes: inout Outboxes
    ) {
        if activeLink.isReady { outboxes[active].openQueue() }
        let url = rotation.url ?? configuration.url
        closeLink(link, now)
        endOverlap()
        rotationFailed(failure, activeLink, now)
        if let delay {
            rotation.phase = .waiting(url, until: now + delay)
        } else {
            rotation.phase = .none
            scheduleRotation(from: now)
        }
    }

    /// The new connection stands: nothing more begins on the old one.
    mutating func beginSwitch(_ now: Instant, _ outboxes: inout Outboxes) {
        rotation.phase = .switching(deadline: now + configuration.closeTimeout)
        outboxes[active].holdQueue()
        changeOver(now, &outboxes)
    }

    /// Has messages go by the new connection as soon as the old one has handed over what it had begun.
    mutating func changeOver(_ now: Instant, _ outboxes: inout Outboxes) {
        guard case .switching(let deadline) = rotation.phase else { return }
        let old = activeLink
        guard outboxes[active].isQueueFree else {
            // For the rest of a message that comes in parts the application may take its time.
            if outboxes[active].awaitsParts {
                rotation.phase = .switching(deadline: now + configuration.closeTimeout)
                return
            }
            // The old connection takes nothing any more: it is lost, and what it had begun is sent again.
            if now >= deadline {
                let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
                end(old, Link.Ending(frame: frame, byPeer: false, failure: .transport(closeTimeout)), now, &outboxes)
            }
            return
        }
        activateSuccessor(now, &outboxes)
        let answered = outboxes[old.place].lastMessageSentAt.map { $0 + configuration.rotateLinger }
        if let answered, now < answered || old.isReadingPaused {
            rotation.phase = .lingering(until: old.isReadingPaused ? nil : answered)
        } else {
            retire(old, now, &outboxes)
        }
    }

    /// Closes the old connection, unless that has begun already.
    private mutating func retire(_ old: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        rotation.phase = .retiring
        guard case .open = old.phase else { return }
        outboxes[old.place].closeNow(CloseFrame(code: CloseCode.normal, reason: []))
        // What the application does not take yet came before the answer to the close frame.
        old.phase = .closing(deadline: old.isReadingPaused ? nil : now + configuration.closeTimeout)
    }

    /// The application takes messages again, or no more, and the old connection's time runs or stands.
    mutating func retirementPaused(_ link: Link) {
        guard link.place != active, rotation.isRetiring else { return }
        if case .lingering = rotation.phase { rotation.phase = .lingering(until: nil) }
        if case .closing = link.phase { link.phase = .closing(deadline: nil) }
    }

    mutating func retirementResumed(_ link: Link, _ now: Instant) {
        guard link.place != active, rotation.isRetiring else { return }
        if case .lingering = rotation.phase { rotation.phase = .lingering(until: now + configuration.rotateLinger) }
        if case .closing = link.phase { link.phase = .closing(deadline: now + configuration.closeTimeout) }
    }

    private mutating func activateSuccessor(_ now: Instant, _ outboxes: inout Outboxes) {
        active = active.other
        outboxes.activate(active)
        outboxes[active].observeQueue()
        outboxes[active].openQueue()
        metrics.openedAt = activeLink.openedAt
        emit(.rotation(.switched), now)
        scheduleRotation(from: activeLink.openedAt)
    }

    /// The new connection begins to deliver beside the old one.
    mutating func beginOverlap(_ link: Link) {
        guard link.place != active, let key = configuration.duplicateKey else { return }
        duplicates = DuplicateFilter(key, seed: random.next())
        rotation.overlapEnd = nil
    }

    /// The old connection delivers no more, and the new one may repeat for a while what that has delivered.
    private mutating func awaitEndOfOverlap(_ now: Instant) {
        if duplicates != nil { rotation.overlapEnd = now + configuration.closeTimeout }
    }

    private mutating func endOverlap() {
        duplicates = nil
        rotation.overlapEnd = nil
    }

    /// True if the other connection has delivered the same message.
    mutating func isDuplicate(_ link: Link, _ payload: UnsafeRawBufferPointer, _ scratch: RuleScratch) -> Bool {
        guard duplicates != nil else { return false }
        let isOfNewer = link.epoch == lastEpoch
        guard duplicates?.isDuplicate(payload, isOfNewer: isOfNewer, scratch.scanner) == true else { return false }
        metrics.duplicatesDropped &+= 1
        return true
    }

    /// The old connection of a rotation is over.
    mutating func retired(_ link: Link, inDoubt: UInt64, _ now: Instant) {
        closeLink(link, now)
        rotation.phase = .none
        awaitEndOfOverlap(now)
        rotationFinished(link, inDoubt: inDoubt, now)
    }

    /// The connection was lost while its successor was being made, which takes its place.
    mutating func promoteSuccessor(_ lost: Link, reason: Failure, _ now: Instant, _ outboxes: inout Outboxes) {
        closeLink(lost, now)
        let isStanding: Bool
        if case .switching = rotation.phase { isStanding = true } else { isStanding = false }
        attempts = rotation.attempts
        awaitEndOfOverlap(now)
        if isStanding {
            activateSuccessor(now, &outboxes)
            rotationFinished(lost, inDoubt: gap?.inDoubt ?? 0, now)
            established(activeLink, now, &outboxes)
        } else {
            rotationFailed(reason, lost, now)
            active = active.other
            outboxes.activate(active)
            metrics.openedAt = nil
            change(to: .reconnecting, reason: reason, now)
        }
        rotation.phase = .none
    }

    /// The application closes: there will be no other connection.
    mutating func abandonRotation(_ now: Instant, _ outboxes: inout Outboxes) {
        rotation.due = nil
        switch rotation.phase {
        case .none, .retiring:
            return
        case .lingering:
            retire(link(active.other), now, &outboxes)
            return
        case .waiting, .held:
            dropWaitingRotation(nil, now)
        case .opening, .switching:
            let link = link(active.other)
            if link.isEstablished { outboxes[link.place].closeNow(CloseFrame(code: CloseCode.goingAway, reason: [])) }
            endHeartbeats(link, now)
            if link.isEstablished {
                let frame = CloseFrame(code: CloseCode.goingAway, reason: [])
                emit(.closed(frame: frame, byPeer: false, failure: nil), link, now)
            }
            closeLink(link, now)
            rotationFailed(nil, activeLink, now)
            outboxes[active].openQueue()
        }
        rotation.phase = .none
    }
}
