import Heartbeat
import WebSocket

/// From the last sign of a lost connection to the next connection.
package struct Gap {
    package let began: Instant
    package let lastMessage: Instant?
    /// Own messages that were handed over whole and may not have arrived.
    package let inDoubt: UInt64
}

/// What happened to a connection, for the application.
package struct Event {
    package indirect enum Kind {
        /// `delay`: until the next attempt.
        case stateChanged(from: State, reason: Failure?, delay: Interval = .zero)
        case opened(Agreement)
        /// An established connection ended; `failure` is nil if it ended as asked.
        case closed(frame: CloseFrame, byPeer: Bool, failure: Failure?)
        /// `delay` is nil if there will be no further attempt.
        case attemptFailed(Failure, attempt: Int, delay: Interval?)
        case heartbeat(HeartbeatNote)
        /// Before an attempt: to be answered with `proceed` within that time.
        case connectDue(attemptId: UInt64, attempt: Int, url: URL, within: Interval)
        /// A client asks for a connection: to be answered within that time.
        case acceptDue(attemptId: UInt64, HandshakeRequest, within: Interval)
        /// Connected again after a loss.
        case gap(Gap, ended: Instant)
        /// The next attempt waits for the host's gate.
        case attemptHeld(for: Interval, HostGate.Hold)
        case circuit(CircuitSighting.Change)
        /// `inDoubt`: of the old connection's messages, when it is over.
        case rotation(RotationStep, failure: Failure? = nil, inDoubt: UInt64 = 0)
        /// What became of messages.
        case outcome(OutcomeStretch)
        case writable
        case readingPaused
        case messagesDropped(UInt64)
        /// Something asked for is insecure, or cannot be had; the sentence says what.
        case warning(String)
        case released
    }

    package let kind: Kind
    package let time: Instant
    package let epoch: UInt64
    package let state: State

    package init(kind: Kind, time: Instant, epoch: UInt64, state: State) {
        self.kind = kind
        self.time = time
        self.epoch = epoch
        self.state = state
    }
}
