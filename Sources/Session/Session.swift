import Heartbeat
import WebSocket

/// The life of one managed connection: attempts, the open connection, its end, and the next attempt.
///
/// A session decides and never acts. The owner opens and closes transports when `takeActions` says so, feeds what happens into the methods
/// below, delivers what `takeEvents` gives, and calls `timeout` when `deadline` has come; calls that come too early or too often do nothing.
/// Outgoing bytes go into the `Outbox` that is passed along, because senders share it. State belongs to one connection: nothing that
/// an earlier one left behind can touch the next.
package struct Session: ~Copyable {
    /// How an established connection ends.
    struct Ending {
        let frame: CloseFrame
        let byPeer: Bool
        let failure: Failure?
    }

    enum Phase {
        case idle
        case waiting(until: Instant)
        case connecting(deadline: Instant)
        case handshaking(deadline: Instant)
        case open
        /// The application closed: our close frame follows the queue, the peer's is awaited.
        case closing(deadline: Instant)
        /// Nothing more is said or heard; the peer is given time to end the transport (RFC 6455 section 7.1.1).
        indirect case draining(Ending, deadline: Instant)
        case ended
    }

    package internal(set) var state = State.disconnected
    package private(set) var epoch: UInt64 = 0
    package internal(set) var metrics = SessionMetrics()
    private var route: Route
    /// Of the present transport. Apart from the phase, so that it is read into in place: a copy for every read would cost the square of what
    /// trickles in.
    var handshake: ClientHandshake?

    let configuration: SessionConfiguration
    var phase = Phase.idle
    private var reader: FrameReader
    var heartbeats: HeartbeatEngine
    /// Heartbeats that found no room on their way out and are tried once more.
    var refused: [OutgoingHeartbeat] = []
    private var pongBudget = PongBudget()
    var backoff: Backoff
    var random: Random
    var closedByApplication = false
    /// Since the last established connection.
    var attempts = 0
    private var events: [Event] = []
    var actions: [Action] = []

    /// `variables` are those that the outbox observes too, if heartbeat rules learn from what the application sends.
    package init(
        _ configuration: SessionConfiguration, seed: UInt64, environment: any HeartbeatEnvironment, variables: HeartbeatVariables? = nil
    ) {
        self.configuration = configuration
        heartbeats = HeartbeatEngine(configuration.heartbeat, environment, variables)
        backoff = Backoff(configuration.backoff)
        random = Random(seed: seed)
        reader = FrameReader(role: .client, limits: configuration.messages)
        route = Route(to: configuration.url, redirectsMax: configuration.redirectsMax)
    }

    // MARK: Outputs

    /// Where the present attempt's transport leads.
    package var target: URL { route.url }

    package var heartbeatSnapshot: HeartbeatSnapshot { heartbeats.snapshot }

    /// When `timeout` must be called next; nil while there is nothing to wait for.
    package var deadline: Instant? {
        switch phase {
        case .idle, .ended: nil
        case .waiting(let until): until
        case .connecting(let deadline), .handshaking(let deadline), .draining(_, let deadline): deadline
        case .closing(let deadline): heartbeats.deadline.map { min($0, deadline) } ?? deadline
        case .open: heartbeats.deadline
        }
    }

    /// True if what is read next may be compressed, so that few bytes can become many.
    package var mayInflate: Bool {
        switch phase {
        case .open, .closing: reader.allowsCompression
        case .idle, .waiting, .connecting, .handshaking, .draining, .ended: configuration.compression != nil
        }
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

    // MARK: The application's inputs

    package mutating func start(_ now: Instant) {
        guard case .idle = phase else { return }
        change(to: .connecting, reason: nil, now)
        beginAttempt(now)
    }

    /// Closes gracefully: queued messages first, then `frame`, then the peer's answer.
    package mutating func close(_ frame: CloseFrame, _ now: Instant, _ outbox: inout Outbox) {
        outbox.seal()
        switch phase {
        case .closing, .ended:
            return
        case .idle, .waiting, .connecting, .handshaking:
            closedByApplication = true
            finish(.disconnected, reason: nil, now, &outbox)
        case .open:
            closedByApplication = true
            outbox.closeAfterQueue(frame)
            change(to: .closing, reason: nil, now)
            phase = .closing(deadline: now + configuration.closeTimeout)
        case .draining:
            closedByApplication = true
            change(to: .closing, reason: nil, now)
        }
    }

    /// Ends everything at once and without events, with a close frame if the socket takes it.
    package mutating func abandon(_ outbox: inout Outbox) {
        switch phase {
        case .ended:
            return
        case .open, .closing:
            outbox.closeNow(CloseFrame(code: CloseCode.goingAway, reason: []))
        case .idle, .waiting, .connecting, .handshaking, .draining:
            break
        }
        outbox.seal()
        endHeartbeats(Instant(nanoseconds: 0))
        events = []
        actions = [.closeTransport]
        phase = .ended
        state = .disconnected
    }

    // MARK: The transport's inputs

    /// `unixTime` is the present in seconds since 1970: dates in the server's answer are compared with it.
    package mutating func transportOpened(_ nonce: HandshakeNonce, unixTime: Int64, _ outbox: inout Outbox) {
        guard case .connecting(let deadline) = phase else { return }
        let handshake = ClientHandshake(
            nonce: nonce, subprotocols: configuration.subprotocols, compression: configuration.compression?.offer,
            headSizeMax: configuration.handshakeSizeMax, followsRedirects: route.followsRedirects, unixTime: unixTime)
        outbox.beginHandshake(handshake.request(url: route.url, fields: route.allowed(configuration.headerFields)))
        self.handshake = handshake
        phase = .handshaking(deadline: deadline)
    }

    /// The transport could not be opened, broke, or was ended by the peer.
    package mutating func transportEnded(_ failure: TransportFailure, _ now: Instant, _ outbox: inout Outbox) {
        switch phase {
        case .idle, .waiting, .ended:
            return
        case .connecting:
            attemptFailed(.transport(failure), now, &outbox)
        case .handshaking:
            attemptFailed(handshake?.unfinishedRefusal.map { .handshake($0) } ?? .transport(failure.beforeTheAnswer), now, &outbox)
        case .open, .closing:
            let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
            end(Ending(frame: frame, byPeer: false, failure: .transport(failure)), now, &outbox)
        case .draining(let ending, _):
            end(ending, now, &outbox)
        }
    }

    /// Reads from `input` at `consumed`. Complete messages join the batch; anything else is an outcome to be passed on.
    package mutating func read(
        _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, into batch: inout MessageBatch
    ) -> ReadOutcome {
        switch phase {
        case .open, .closing:
            switch reader.read(input, consumed: &consumed, into: &batch) {
            case .needsInput: return .needsInput
            case .deliver: return .deliver
            case .control(let opcode, let payload): return .control(opcode, payload: payload)
            case .failed(let error): return .failed(error)
            }
        case .handshaking:
            do throws(HandshakeError) {
                let agreement = try handshake?.read(UnsafeRawBufferPointer(input), consumed: &consumed)
                return agreement.map { .opened($0) } ?? .needsInput
            } catch {
                return .refused(error)
            }
        case .idle, .waiting, .connecting, .draining, .ended:
            consumed = input.count
            return .needsInput
        }
    }

    /// So many bytes and messages arrived in one turn; keeps the counters and the liveness clock.
    package mutating func received(bytes: Int, messages: Int, _ now: Instant) {
        guard metrics.openedAt != nil else { return }
        metrics.bytesReceived &+= UInt64(bytes)
        if bytes > 0 {
            metrics.lastBytesAt = now
            heartbeats.bytesReceived(now)
        }
        if messages > 0 {
            metrics.messagesReceived &+= UInt64(messages)
            metrics.lastMessageAt = now
        }
    }

    package mutating func handshakeSucceeded(_ agreement: Agreement, _ now: Instant, _ outbox: inout Outbox) {
        guard case .handshaking = phase else { return }
        var streams: (decompression: Decompression, compression: Compression?)?
        if let parameters = agreement.compression {
            streams = configuration.compression?.streams(parameters)
            guard streams != nil else {
                attemptFailed(.transport(Self.noMemoryForCompression), now, &outbox)
                return
            }
        }
        epoch &+= 1
        if epoch > 1 { metrics.reconnections &+= 1 }
        metrics.openedAt = now
        attempts = 0
        reader = FrameReader(role: .client, limits: configuration.messages, decompression: streams?.decompression)
        pongBudget = PongBudget(perSecondMax: configuration.pongsPerSecondMax, now)
        handshake = nil
        phase = .open
        outbox.open(streams?.compression)
        change(to: .connected, reason: nil, now)
        emit(.opened(agreement), now)
        outbox.observeQueue()
        heartbeats.connectionOpened(now, salt: random.next())
        carryOut(now, &outbox)
    }

    package mutating func handshakeFailed(_ error: HandshakeError, _ now: Instant, _ outbox: inout Outbox) {
        guard case .handshaking(let deadline) = phase else { return }
        do throws(HandshakeError) {
            try followRedirect(error)
            outbox.connectionEnded()
            phase = .connecting(deadline: deadline)
            actions += [.closeTransport, .openTransport]
        } catch {
            attemptFailed(.handshake(error), now, &outbox)
        }
    }

    /// Turns the route to where a redirect points; throws the error to report if it is not to be followed.
    private mutating func followRedirect(_ error: HandshakeError) throws(HandshakeError) {
        guard case .refused(let refusal) = error else { throw error }
        let isFollowed: Bool
        do throws(RedirectError) {
            isFollowed = try route.follow(refusal)
        } catch let reason {
            throw .redirect(reason, refusal)
        }
        if !isFollowed { throw error }
    }

    package mutating func controlReceived(
        _ opcode: Opcode, payload: UnsafeRawBufferPointer, _ now: Instant, _ outbox: inout Outbox
    ) {
        switch opcode {
        case .ping:
            metrics.pingsReceived &+= 1
            let isWithinBudget = pongBudget.spend(now)
            outbox.pong(payload, received: now, atOnce: isWithinBudget)
            // A flood of pings is answered with few pongs, and does not become a flood of events.
            heartbeats.pingReceived(payload, isReported: isWithinBudget, now)
            carryOut(now, &outbox)
        case .pong:
            heartbeats.pongReceived(payload, now)
            carryOut(now, &outbox)
        case .close:
            do throws(ProtocolError) {
                closeReceived(try CloseFrame(payload: payload), now, &outbox)
            } catch {
                protocolFailed(error, now, &outbox)
            }
        case .continuation, .text, .binary:
            break
        }
    }

    /// The peer broke the protocol: say so, and hear no more of it (RFC 6455 section 7.1.7).
    package mutating func protocolFailed(_ error: ProtocolError, _ now: Instant, _ outbox: inout Outbox) {
        let frame = CloseFrame(code: error.closeCode, reason: [UInt8](error.phrase.utf8))
        failConnection(.protocolViolation(error), frame, timeout: configuration.closeTimeout, now, &outbox)
    }

    /// The application does not take its messages, and asked for the connection to be closed then.
    package mutating func consumerTooSlow(_ now: Instant, _ outbox: inout Outbox) {
        let reason = ASCII.bytes("the receiver is too slow")
        let frame = CloseFrame(code: CloseCode.policyViolation, reason: reason)
        failConnection(.slowConsumer, frame, timeout: configuration.closeTimeout, now, &outbox)
    }

    package mutating func readingPaused(_ now: Instant) {
        heartbeats.readingPaused(now)
    }

    package mutating func readingResumed(_ now: Instant) {
        heartbeats.readingResumed(now)
    }

    /// Reports something that happened outside the session in order with its own events.
    package mutating func emit(_ kind: Event.Kind, _ now: Instant) {
        events.append(Event(kind: kind, time: now, epoch: epoch, state: state))
    }

    // MARK: Time

    package mutating func timeout(_ now: Instant, _ outbox: inout Outbox) {
        switch phase {
        case .idle, .ended:
            return
        case .waiting(let until):
            if now >= until { beginAttempt(now) }
        case .connecting(let deadline):
            if now >= deadline { attemptFailed(.connectTimeout, now, &outbox) }
        case .handshaking(let deadline):
            guard now >= deadline else { return }
            attemptFailed(handshake?.unfinishedRefusal.map { .handshake($0) } ?? .handshakeTimeout, now, &outbox)
        case .open:
            pollHeartbeats(now, &outbox)
        case .closing(let deadline):
            guard now >= deadline else {
                pollHeartbeats(now, &outbox)
                return
            }
            let frame = CloseFrame(code: CloseCode.abnormal, reason: [])
            end(Ending(frame: frame, byPeer: false, failure: .transport(Self.closeTimeout)), now, &outbox)
        case .draining(let ending, let deadline):
            if now >= deadline { end(ending, now, &outbox) }
        }
    }

    // MARK: Transitions

    private mutating func beginAttempt(_ now: Instant) {
        phase = .connecting(deadline: now + configuration.connectTimeout)
        route = Route(to: configuration.url, redirectsMax: configuration.redirectsMax)
        attempts &+= 1
        actions.append(.openTransport)
    }

    mutating func change(to new: State, reason: Failure?, _ now: Instant) {
        guard new != state else { return }
        let old = state
        state = new
        emit(.stateChanged(from: old, reason: reason), now)
    }
}
