import Heartbeat
import WebSocket

/// The life of one managed connection: attempts, the open connection, its end, and the next attempt; and the rotation that opens the next
/// connection before the present one ends.
///
/// A session decides and never acts. The owner opens and closes transports when `takeActions` says so, feeds what happens into the methods
/// of the extensions, delivers what `takeEvents` gives, and calls `timeout` when `deadline` has come; calls that come too early or too often
/// do nothing. Outgoing bytes go into the `Outboxes` that are passed along, because senders share them.
package struct Session: ~Copyable {
    enum Phase {
        case idle
        /// For the next attempt's time. The server asked for none before `notBefore`.
        case waiting(until: Instant, notBefore: Instant)
        /// There is an attempt or a connection in the active place.
        case live
        case ended
    }

    package internal(set) var state = State.disconnected
    package internal(set) var metrics = SessionMetrics()
    let configuration: SessionConfiguration
    let environment: any HeartbeatEnvironment
    var phase = Phase.idle
    /// Which place has the connection that messages are sent by.
    package internal(set) var active = LinkPlace.first
    private let first: Link
    /// Most sessions never rotate.
    private let second: Late<Link>
    let sighting: CircuitSighting
    var rotation: Rotation
    /// While the connections of a rotation overlap.
    var duplicates: DuplicateFilter?
    /// The number of the last established connection.
    var lastEpoch: UInt64 = 0
    var lastAttemptId: UInt64 = 0
    var backoff: Backoff
    var random: Random
    var closedByApplication = false
    /// The application has closed a connection that is only being made: what it has queued is sent first, if that is possible until then.
    var closesAfterOpening: (frame: CloseFrame, deadline: Instant)?
    /// Since the last established connection.
    var attempts = 0
    var hasBeenConnected = false
    /// Of a connection that was lost, until the next stands.
    var gap: Gap?
    /// When a message's time to live runs out.
    private var nextExpiry: Instant?
    private var events: [Event] = []
    var actions: [Action] = []

    /// `seed` is this session's alone. `variables`, one for each place, are those that the outboxes observe too, if heartbeat rules learn from what the application sends.
    package init(
        _ configuration: SessionConfiguration, seed: UInt64, environment: any HeartbeatEnvironment, gates: any HostGates,
        variables: (HeartbeatVariables?, HeartbeatVariables?) = (nil, nil)
    ) {
        self.configuration = configuration
        self.environment = environment
        backoff = Backoff(configuration.backoff)
        rotation = Rotation(configuration.backoff)
        random = Random(seed: seed)
        let sighting = CircuitSighting()
        self.sighting = sighting
        first = Link(.first, configuration, environment, variables.0, HostVisitor(gates, configuration.gate, token: seed &* 2, sighting))
        second = Late {
            let visitor = HostVisitor(gates, configuration.gate, token: seed &* 2 &+ 1, sighting)
            return Link(.second, configuration, environment, variables.1, visitor)
        }
    }

    func link(_ place: LinkPlace) -> Link {
        switch place {
        case .first: first
        case .second: second.value
        }
    }

    /// Nil if no rotation has needed the place yet.
    func existingLink(_ place: LinkPlace) -> Link? {
        switch place {
        case .first: first
        case .second: second.existing
        }
    }

    var activeLink: Link { link(active) }

    // MARK: Outputs

    /// Where the present attempt's transport leads.
    package func target(of place: LinkPlace) -> URL { link(place).route.url }

    /// Of the connection in the active place, 0 before the first.
    package var epoch: UInt64 { activeLink.epoch }

    package func epoch(of place: LinkPlace) -> UInt64 { existingLink(place)?.epoch ?? 0 }

    package var heartbeatSnapshot: HeartbeatSnapshot {
        var snapshot = activeLink.heartbeats.snapshot
        if let other = existingLink(active.other) {
            snapshot.totals = snapshot.totals + other.heartbeats.totals
            snapshot.times.add(other.heartbeats.times)
        }
        return snapshot
    }

    /// As the snapshot, of the connection in the active place alone.
    package var heartbeatPulse: HeartbeatPulse { activeLink.heartbeats.pulse }
    package var roundTrips: RoundTripWindow { activeLink.heartbeats.roundTrips }
    package var heartbeatTotals: HeartbeatTotals { activeLink.heartbeats.totals + link(active.other).heartbeats.totals }

    /// An answer to a request for a page is on its way.
    package var isAnswering: Bool { if case .answering = activeLink.phase { true } else { false } }

    /// When `timeout` must be called next; nil while there is nothing to wait for.
    package var deadline: Instant? {
        let links = earliest(earliest(first.deadline, second.existing?.deadline), rotation.deadline)
        switch phase {
        case .idle, .ended: return nil
        case .waiting(let until, _): return earliest(earliest(links, until), nextExpiry)
        case .live: return earliest(earliest(links, closesAfterOpening?.deadline), nextExpiry)
        }
    }

    /// When the attempt in this place is to have become a connection.
    package func attemptDeadline(of place: LinkPlace) -> Instant? { link(place).deadline }

    /// True if what is read next may be compressed, so that few bytes can become many.
    package func mayInflate(_ place: LinkPlace) -> Bool {
        let link = link(place)
        return link.isEstablished ? link.reader.allowsCompression : configuration.compression != nil
    }

    /// True while there is something for `takeEvents` or `takeActions`.
    package var hasOutput: Bool { !events.isEmpty || !actions.isEmpty }

    package mutating func takeEvents() -> [Event] {
        defer { events = [] }
        return events
    }

    package mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    /// Reports something that happened outside the session in order with its own events.
    package mutating func emit(_ kind: Event.Kind, _ now: Instant) {
        emit(kind, activeLink, now)
    }

    @inline(never)
    mutating func emit(_ kind: Event.Kind, _ link: Link, _ now: Instant) {
        events.append(Event(kind: kind, time: now, epoch: link.epoch, state: state))
    }

    /// `delay`: until the next attempt.
    mutating func change(to new: State, reason: Failure?, delay: Interval = .zero, _ now: Instant) {
        guard new != state else { return }
        let old = state
        state = new
        emit(.stateChanged(from: old, reason: reason, delay: delay), now)
    }

    // MARK: The application's inputs

    package mutating func start(_ now: Instant) {
        guard case .idle = phase else { return }
        change(to: .connecting, reason: nil, now)
        beginAttempt(now)
    }

    /// Closes gracefully: queued messages first, then `frame`, then the peer's answer.
    package mutating func close(_ frame: CloseFrame, _ now: Instant, _ outboxes: inout Outboxes) {
        outboxes[active].seal()
        switch phase {
        case .ended:
            return
        case .idle, .waiting:
            closedByApplication = true
            finish(.disconnected, reason: nil, now, &outboxes)
        case .live:
            abandonRotation(now, &outboxes)
            closeActive(frame, now, &outboxes)
        }
    }

    private mutating func closeActive(_ frame: CloseFrame, _ now: Instant, _ outboxes: inout Outboxes) {
        guard !closedByApplication else { return }
        let link = activeLink
        let isEmpty = outboxes[active].queuedMessages == 0
        switch link.phase {
        case .preparing where !isEmpty, .connecting where !isEmpty, .handshaking where !isEmpty, .opening where !isEmpty:
            closesAfterOpening = (frame, now + configuration.closeTimeout)
        case .idle, .preparing, .connecting, .handshaking, .answering:
            closedByApplication = true
            finish(.disconnected, reason: nil, now, &outboxes)
            return
        case .closing:
            return
        case .opening:
            outboxes[active].closeNow(frame)
            link.phase = .closing(deadline: now + configuration.closeTimeout)
        case .open:
            outboxes[active].closeAfterQueue(frame)
            link.phase = .closing(deadline: now + configuration.closeTimeout)
        case .draining:
            break
        }
        closedByApplication = true
        change(to: .closing, reason: nil, now)
    }

    /// Ends everything at once and without events, with a close frame if the socket takes it.
    package mutating func abandon(_ now: Instant, _ outboxes: inout Outboxes) {
        if case .ended = phase { return }
        outboxes[active].seal()
        events = []
        actions = []
        for place in [LinkPlace.first, .second] {
            guard let link = existingLink(place) else { continue }
            if link.isEstablished { outboxes[place].closeNow(CloseFrame(code: CloseCode.goingAway, reason: [])) }
            endHeartbeats(link, now)
            link.visitor.leave(now)
            link.phase = .idle
            actions.append(.closeTransport(place))
        }
        events = []
        phase = .ended
        state = .disconnected
    }

    /// The network is another, or time has passed unseen: what stands is probed, and what waits is tried as soon as the server allows it.
    package mutating func probe(_ now: Instant, _ outboxes: inout Outboxes) {
        switch phase {
        case .idle, .ended:
            return
        case .waiting(_, let notBefore):
            if now >= notBefore { beginAttempt(now) } else { phase = .waiting(until: notBefore, notBefore: notBefore) }
        case .live:
            break
        }
        for place in [LinkPlace.first, .second] {
            guard let link = existingLink(place), link.isEstablished else { continue }
            link.heartbeats.probe(now)
            carryOut(link, now, &outboxes)
        }
    }

    /// To be called after the outboxes have changed: reports what became of messages, and that there is room again. The time to live of those
    /// that wait runs from here.
    package mutating func review(_ now: Instant, _ outboxes: inout Outboxes) {
        outboxes[active].expire(now)
        nextExpiry = outboxes[active].nextExpiry
        reportOutcomes(now, &outboxes)
        if outboxes[active].takeWritable() { emit(.writable, now) }
    }

    mutating func reportOutcomes(_ now: Instant, _ outboxes: inout Outboxes) {
        guard outboxes[active].hasReports else { return }
        for stretch in outboxes[active].takeReports() { emit(.outcome(stretch), now) }
    }

    // MARK: Time

    package mutating func timeout(_ now: Instant, _ outboxes: inout Outboxes) {
        switch phase {
        case .idle, .ended:
            return
        case .waiting(let until, _):
            if now >= until { beginAttempt(now) }
        case .live:
            break
        }
        // While the next attempt is waited for, the old connection of a rotation may still stand.
        timeout(first, now, &outboxes)
        if let second = second.existing { timeout(second, now, &outboxes) }
        pollRotation(now, &outboxes)
        if let (_, deadline) = closesAfterOpening, now >= deadline { cutOffAttempt(now, &outboxes) }
    }

    private mutating func timeout(_ link: Link, _ now: Instant, _ outboxes: inout Outboxes) {
        switch link.phase {
        case .idle:
            return
        case .preparing(_, let deadline):
            if now >= deadline { attemptFailed(link, .beforeConnect(nil), now, &outboxes) }
        case .connecting(let deadline):
            if now >= deadline { attemptFailed(link, .connectTimeout, now, &outboxes) }
        case .handshaking(let deadline):
            guard now >= deadline else { return }
            attemptFailed(link, link.handshake?.unfinishedRefusal.map { .handshake($0) } ?? .handshakeTimeout, now, &outboxes)
        case .answering(let deadline):
            if now >= deadline { finish(.disconnected, reason: nil, now, &outboxes) }
        case .opening:
            pollHeartbeats(link, now, &outboxes)
            pollOpening(link, now, &outboxes)
        case .open:
            pollHeartbeats(link, now, &outboxes)
        case .closing(let deadline):
            if let deadline, now >= deadline { cutOff(link, now, &outboxes) } else { pollHeartbeats(link, now, &outboxes) }
        case .draining(let ending, let deadline):
            if now >= deadline { end(link, ending, now, &outboxes) }
        }
    }
}

/// The earlier of the two that are there.
func earliest(_ a: Instant?, _ b: Instant?) -> Instant? {
    guard let a, let b else { return a ?? b }
    return min(a, b)
}
