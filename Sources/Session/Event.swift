import Heartbeat
import WebSocket

/// What happened to a connection, for the application.
package struct Event {
    package indirect enum Kind {
        case stateChanged(from: State, reason: Failure?)
        case opened(Agreement)
        /// An established connection ended; `failure` is nil if it ended as asked.
        case closed(frame: CloseFrame, byPeer: Bool, failure: Failure?)
        /// `delay` is nil if there will be no further attempt.
        case attemptFailed(Failure, attempt: Int, delay: Interval?)
        case heartbeat(HeartbeatNote)
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
