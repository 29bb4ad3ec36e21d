import Heartbeat
import WebSocket

/// Which of a session's two places a connection has. One place is enough until a rotation: then the new connection takes the free one while
/// the old one still delivers.
package enum LinkPlace: UInt8, BitwiseCopyable {
    case first
    case second

    package var other: LinkPlace { self == .first ? .second : .first }
}

/// One connection of a session, or the attempt to make one: its handshakes, its frames and its heartbeats.
///
/// It only holds; the session decides. What stands here belongs to one connection: nothing that an earlier one left behind can touch the next.
final class Link {
    /// How an established connection ends.
    struct Ending {
        let frame: CloseFrame
        let byPeer: Bool
        let failure: Failure?

        var isClosedByPeer: Bool {
            if case .closedByPeer? = failure { true } else { false }
        }
    }

    enum Phase {
        case idle
        /// Whoever knows the credentials has been asked for them.
        case preparing(attemptId: UInt64, deadline: Instant)
        case connecting(deadline: Instant)
        case handshaking(deadline: Instant)
        /// A page was asked for, and is on its way; the end follows.
        case answering(deadline: Instant)
        /// The opening script runs.
        case opening
        case open
        /// Our close frame is sent or follows what is queued, and the peer's is awaited; messages still come. No deadline while the
        /// application does not take the messages of a connection that was replaced.
        case closing(deadline: Instant?)
        /// Nothing more is said or heard; the peer is given time to end the transport (RFC 6455 section 7.1.1).
        indirect case draining(Ending, deadline: Instant)
    }

    let place: LinkPlace
    var phase = Phase.idle
    var epoch: UInt64 = 0
    var openedAt: Instant?
    var lastBytesAt: Instant?

    var route: Route
    /// Of the present attempt: the configured ones, or those that it was prepared with.
    var headerFields: [[UInt8]]
    /// Apart from the phase, so that it is read into in place: a copy for every read would cost the square of what trickles in.
    var handshake: ClientHandshake?
    /// A client's, until it has arrived.
    var request: ServerHandshake?
    var reader: FrameReader
    var heartbeats: HeartbeatEngine
    /// Heartbeats that found no room on their way out and are tried once more.
    var refused: [OutgoingHeartbeat] = []
    var pongBudget = PongBudget()
    /// The opening script, while it runs.
    var script: OpeningRun?
    /// The opening script is done: messages can be sent. Until then the connection is an attempt.
    var isReady = false
    var arrivals = ArrivalProof()
    var isReadingPaused = false
    /// At the gate of the host that the attempt goes to.
    var visitor: HostVisitor

    init(
        _ place: LinkPlace, _ configuration: SessionConfiguration, _ environment: any HeartbeatEnvironment,
        _ variables: HeartbeatVariables?, _ visitor: HostVisitor
    ) {
        self.place = place
        self.visitor = visitor
        route = Route(to: configuration.url, redirectsMax: configuration.redirectsMax)
        headerFields = configuration.headerFields
        reader = FrameReader(role: configuration.role, limits: configuration.messages)
        heartbeats = HeartbeatEngine(configuration.heartbeat, environment, variables)
    }

    /// When the session has to look at it; nil while there is nothing to wait for.
    var deadline: Instant? {
        switch phase {
        case .idle: nil
        case .preparing(_, let deadline), .connecting(let deadline), .handshaking(let deadline), .answering(let deadline): deadline
        case .draining(_, let deadline): deadline
        case .closing(let deadline): earliest(heartbeats.deadline, deadline)
        case .opening: earliest(script?.deadline, heartbeats.deadline)
        case .open: heartbeats.deadline
        }
    }

    /// Nothing was heard of the peer since a ping or beat that it has not acknowledged.
    var isSilent: Bool {
        guard let lastBytesAt, let unacknowledgedSince = arrivals.unacknowledgedSince else { return false }
        return lastBytesAt < unacknowledgedSince
    }

    /// The number of the attempt that waits for an answer; 0 for none.
    var preparingAttempt: UInt64 {
        if case .preparing(let attemptId, _) = phase { attemptId } else { 0 }
    }

    /// True from the end of the opening handshake to the end of the connection.
    var isEstablished: Bool {
        switch phase {
        case .opening, .open, .closing, .draining: true
        case .idle, .preparing, .connecting, .handshaking, .answering: false
        }
    }
}
