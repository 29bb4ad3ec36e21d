import Heartbeat
import WebSocket

/// Attempts, and what is said on a new connection before the application's messages.
extension Session {
    /// Begins an attempt in the active place.
    mutating func beginAttempt(_ now: Instant) {
        phase = .live
        beginAttempt(activeLink, to: configuration.url, now)
    }

    /// Begins an attempt unless the host's gate holds it back.
    mutating func beginAttempt(_ link: Link, to url: URL, _ now: Instant) {
        let admission = link.visitor.admit(to: url, now, &random)
        reportCircuit(link, now)
        if case .wait(let until, let hold) = admission {
            emit(.attemptHeld(for: max(.zero, until - now), hold), link, now)
            wait(link, to: url, until, now)
            return
        }
        let attempt = countAttempt(link)
        link.route = Route(to: url, redirectsMax: configuration.redirectsMax, hasLeftOrigin: !url.hasSameOrigin(as: configuration.url))
        link.headerFields = configuration.headerFields
        guard configuration.asksBeforeConnect else {
            connect(link, now)
            return
        }
        lastAttemptId &+= 1
        let timeout = configuration.beforeConnectTimeout
        link.phase = .preparing(attemptId: lastAttemptId, deadline: now + timeout)
        emit(.connectDue(attemptId: lastAttemptId, attempt: attempt, url: url, within: timeout), link, now)
    }

    private mutating func countAttempt(_ link: Link) -> Int {
        metrics.attempts &+= 1
        if link.place == active {
            attempts &+= 1
            return attempts
        }
        rotation.attempts &+= 1
        return rotation.attempts
    }

    private mutating func wait(_ link: Link, to url: URL, _ until: Instant, _ now: Instant) {
        if link.place == active { phase = .waiting(until: until, notBefore: now) } else { rotation.phase = .held(url, until: until) }
    }

    mutating func reportCircuit(_ link: Link, _ now: Instant) {
        if let change = sighting.takeChange() { emit(.circuit(change), link, now) }
    }

    private mutating func connect(_ link: Link, _ now: Instant) {
        link.phase = .connecting(deadline: now + configuration.connectTimeout)
        actions.append(.openTransport(link.place))
    }

    /// Of each place, the attempt that waits for `proceed`; 0 for none.
    package var preparingAttempts: (UInt64, UInt64) { (link(.first).preparingAttempt, existingLink(.second)?.preparingAttempt ?? 0) }

    /// The answer to `connectDue`; false if that attempt is over or was answered.
    package mutating func proceed(_ attemptId: UInt64, _ prepared: PreparedAttempt, _ now: Instant, _ outboxes: inout Outboxes) -> Bool {
        for place in [LinkPlace.first, .second] {
            guard let link = existingLink(place), case .preparing(attemptId, _) = link.phase else { continue }
            if let failure = prepared.failure {
                attemptFailed(link, .beforeConnect(failure), now, &outboxes)
                return true
            }
            // The configured fields are for the configured origin; those given with the answer are for wherever it leads.
            let configured = prepared.url == nil ? link.route.allowed(prepared.configuredFields) : prepared.configuredFields
            link.route = Route(to: prepared.url ?? link.route.url, redirectsMax: configuration.redirectsMax)
            link.headerFields = configured + prepared.ownFields
            connect(link, now)
            return true
        }
        return false
    }

    // MARK: The opening script

    mutating func beginOpening(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        guard case .opening = link.phase else { return }
        if let script = configuration.opening {
            link.script = OpeningRun(
                script, configuration.heartbeat, timeout: configuration.scriptTimeout, environment: environment, now)
        }
        followScript(link, now, &outboxes)
    }

    mutating func pollOpening(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        guard link.script != nil else { return }
        link.script?.poll(now)
        followScript(link, now, &outboxes)
    }

    /// Sends what the opening script wants to have sent, and sees where it is.
    mutating func followScript(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        guard case .opening = link.phase else { return }
        for message in link.script?.takeMessages() ?? [] {
            message.payload.withUnsafeBytes { outboxes[link.place].sendOpening(message.kind, $0) }
        }
        switch link.script?.state ?? .done {
        case .waiting:
            return
        case .failed(let failure):
            let frame = CloseFrame(code: CloseCode.normal, reason: ASCII.bytes("the opening script failed"))
            failConnection(link, .script(failure), frame, timeout: configuration.closeTimeout, now, &outboxes)
        case .done:
            openingDone(link, now, &outboxes)
        }
    }

    private mutating func openingDone(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        link.script = nil
        link.isReady = true
        link.phase = .open
        outboxes.sendKept(link.place)
        guard link.place == active else {
            beginSwitch(now, &outboxes)
            return
        }
        outboxes[active].openQueue()
        established(link, now, &outboxes)
    }

    /// The active place has a connection that messages can be sent by.
    mutating func established(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        attempts = 0
        if hasBeenConnected { metrics.reconnections &+= 1 }
        hasBeenConnected = true
        metrics.openedAt = link.openedAt
        if let (frame, deadline) = closesAfterOpening {
            closesAfterOpening = nil
            outboxes[link.place].closeAfterQueue(frame)
            link.phase = .closing(deadline: deadline)
        } else {
            change(to: .connected, reason: nil, now)
            scheduleRotation(from: link.openedAt)
        }
        if let gap {
            emit(.gap(gap, ended: now), link, now)
            self.gap = nil
        }
    }
}
