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
        /// Messages go by the new connection. The old one stands until then, for what the peer answers to the last sent on it.
        case lingering(until: Instant)
        /// The old connection is closing.
        case retiring
    }

    var phase = Phase.none
    /// When the connection has reached the age to be replaced at.
    var due: Instant?
    var attempts = 0
    /// The new connection may be behind the old one, and repeat what that has delivered, until then.
    var overlapEnd: Instant?
    /// Where the service asked for the new connection.
    var url: URL?

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
        rotate(to: configuration.url, now)
    }

    mutating func rotate(to url: URL, _ now: Instant) {
        guard case .live = phase, case .open = activeLink.phase else { return }
        switch rotation.phase {
        case .none, .waiting: break
        case .held, .opening, .switching, .lingering, .retiring: return
        }
        rotation.due = nil
        rotation.attempts = 0
        rotation.url = url
        emit(.rotation(.started), now)
        beginSuccessor(url, now)
    }

    /// The service advised a new connection, at the URL `text` if that is one.
    mutating func adviceReceived(_ link: Link, _ text: [UInt8], _ now: Instant) {
        guard link.place == active, configuration.rotateOnNotice != .off else { return }
        rotate(to: (try? URL(parsing: text)) ?? configuration.url, now)
    }

    private mutating func beginSuccessor(_ url: URL, _ now: Instant) {
        rotation.phase = .opening
        beginAttempt(link(active.other), to: url, now)
    }

    /// Up to a twentieth earlier than asked for, by lot, so that connections that were opened together are not replaced together.
    mutating func scheduleRotation(_ now: Instant) {
        rotation.due = nil
        guard let age = configuration.rotateAfter, let openedAt = activeLink.openedAt else { return }
        let earlier = random.next(through: UInt64(max(0, age.nanoseconds / 20)))
        rotation.due = openedAt + Interval(nanoseconds: age.nanoseconds - Int64(earlier))
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
            if case .open = activeLink.phase { beginSuccessor(url, now) } else { rotation.phase = .none }
        case .switching:
            changeOver(now, &outboxes)
        case .lingering(let until):
            if now >= until { retire(link(active.other), now, &outboxes) }
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
        emit(.rotation(.failed, failure: failure), now)
        rotation.phase = delay.map { .waiting(url, until: now + $0) } ?? .none
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
            // The old connection takes nothing any more: it is lost, and what it had begun is sent again.
            if now >= deadline {
                let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
                end(old, Link.Ending(frame: frame, byPeer: false, failure: .transport(Self.closeTimeout)), now, &outboxes)
            }
            return
        }
        activateSuccessor(now, &outboxes)
        let answered = outboxes[old.place].lastMessageSentAt.map { $0 + configuration.rotateLinger }
        if let answered, now < answered {
            rotation.phase = .lingering(until: answered)
        } else {
            retire(old, now, &outboxes)
        }
    }

    /// Closes the old connection, unless that has begun already.
    private mutating func retire(_ old: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        rotation.phase = .retiring
        guard case .open = old.phase else { return }
        outboxes[old.place].closeNow(CloseFrame(code: CloseCode.normal, reason: []))
        old.phase = .closing(deadline: now + configuration.closeTimeout)
    }

    private mutating func activateSuccessor(_ now: Instant, _ outboxes: inout Outboxes) {
        active = active.other
        outboxes.activate(active)
        outboxes[active].observeQueue()
        outboxes[active].openQueue()
        metrics.openedAt = activeLink.openedAt
        emit(.rotation(.switched), now)
        scheduleRotation(now)
    }

    /// The new connection begins to deliver beside the old one.
    mutating func beginOverlap(_ link: Link) {
        guard link.place != active, let key = configuration.duplicateKey else { return }
        duplicates = DuplicateFilter(key, seed: random.next())
        rotation.overlapEnd = nil
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
        metrics.rotations &+= 1
        if duplicates != nil { rotation.overlapEnd = now + configuration.closeTimeout }
        emit(.rotation(.finished, inDoubt: inDoubt), link, now)
    }

    /// The connection was lost while its successor was being made, which takes its place.
    mutating func promoteSuccessor(_ lost: Link, reason: Failure, _ now: Instant, _ outboxes: inout Outboxes) {
        closeLink(lost, now)
        let isStanding: Bool
        if case .switching = rotation.phase { isStanding = true } else { isStanding = false }
        attempts = rotation.attempts
        if isStanding {
            activateSuccessor(now, &outboxes)
            metrics.rotations &+= 1
            emit(.rotation(.finished, inDoubt: gap?.inDoubt ?? 0), lost, now)
            established(activeLink, now)
        } else {
            emit(.rotation(.failed, failure: reason), lost, now)
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
            break
        case .opening, .switching:
            let link = link(active.other)
            if link.isEstablished { outboxes[link.place].closeNow(CloseFrame(code: CloseCode.goingAway, reason: [])) }
            endHeartbeats(link, now)
            if link.isEstablished {
                let frame = CloseFrame(code: CloseCode.goingAway, reason: [])
                emit(.closed(frame: frame, byPeer: false, failure: nil), link, now)
            }
            closeLink(link, now)
            emit(.rotation(.failed), now)
            outboxes[active].openQueue()
        }
        rotation.phase = .none
    }
}
