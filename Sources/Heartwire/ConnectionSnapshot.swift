import CHeartwire
import Heartbeat
import Session

/// What other threads may see of a connection.
struct ConnectionSnapshot {
    /// False until the I/O thread has taken the connection over; only then is a final state final.
    var hasStarted = false
    var state = State.connecting
    var epoch: UInt64 = 0
    var session = SessionMetrics()
    var outbox = OutboxMetrics()
    var messagesDropped: UInt64 = 0
    var queuedMessages = 0
    var queuedBytes = 0
    var lastError: ErrorDetails?

    /// The snapshot as the C interface gives it.
    func metrics() -> hw_metrics {
        var metrics = hw_metrics()
        metrics.state = state.rawValue
        metrics.messages_received = session.messagesReceived
        metrics.messages_sent = outbox.messagesSent
        metrics.bytes_received = session.bytesReceived
        metrics.bytes_sent = outbox.bytesSent
        metrics.beats_sent = outbox.beatsSent
        metrics.beats_missed = session.beatsMissed
        metrics.pings_received = session.pingsReceived
        metrics.pongs_sent = outbox.pongsSent
        metrics.pongs_received = session.pongsReceived
        metrics.reconnections = session.reconnections
        metrics.attempts_failed = session.attemptsFailed
        metrics.errors = session.errors
        metrics.messages_dropped = messagesDropped
        metrics.queue_messages = UInt64(queuedMessages)
        metrics.queue_bytes = UInt64(queuedBytes)
        if let openedAt = session.openedAt {
            metrics.uptime_ms = UInt64(max(0, (Clock.now() - openedAt).nanoseconds) / 1_000_000)
        }
        metrics.last_message_ns = UInt64(bitPattern: session.lastMessageAt?.nanoseconds ?? 0)
        metrics.rtt_last_ns = UInt64(bitPattern: session.roundTrips.last.nanoseconds)
        metrics.rtt_mean_ns = UInt64(bitPattern: session.roundTrips.meanOfAll.nanoseconds)
        metrics.epoch = epoch
        return metrics
    }
}
