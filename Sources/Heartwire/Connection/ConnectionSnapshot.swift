import CHeartwire
import Heartbeat
import Session

/// What other threads may see of a connection.
struct ConnectionSnapshot {
    /// False until the I/O thread has taken the connection over; only then is a final state final.
    var hasStarted = false
    /// The handle was given back: it counts no more among what there is, only among what was.
    var isReleased = false
    var state = State.connecting
    var epoch: UInt64 = 0
    var session = SessionMetrics()
    var outbox = OutboxMetrics()
    var outcomes = Outcomes.Counts()
    var heartbeats = HeartbeatSnapshot()
    var messagesDropped: UInt64 = 0
    var queuedMessages = 0
    var queuedBytes = 0
    var keptMessages = 0
    var lastError: ErrorDetails?
    /// Of each place, the attempt that waits for the host's answer; 0 for none.
    var preparing: (UInt64, UInt64) = (0, 0)

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
        metrics.rtt_last_ns = UInt64(bitPattern: heartbeats.roundTrips.last.nanoseconds)
        metrics.rtt_mean_ns = UInt64(bitPattern: heartbeats.roundTrips.meanOfAll.nanoseconds)
        metrics.epoch = epoch
        metrics.attempts = session.attempts
        metrics.rotations = session.rotations
        metrics.duplicates_dropped = session.duplicatesDropped
        metrics.queue_expired = outcomes.expired
        metrics.queue_dropped = outcomes.dropped
        metrics.queue_cancelled = outcomes.cancelled
        metrics.kept_messages = UInt64(keptMessages)
        return metrics
    }

    /// The heartbeats as the C interface gives them.
    func health(_ now: Instant) -> hw_health {
        var health = hw_health()
        health.health = hw_health_level(heartbeats.health.rawValue)
        health.quality = hw_quality(heartbeats.quality.rawValue)
        health.response_level = hw_response_level(heartbeats.responses.level.rawValue)
        health.failures_in_a_row = UInt32(clamping: heartbeats.failuresInARow)
        fillResponses(&health)
        fillRoundTrips(&health)
        health.timestamps = heartbeats.totals.timestamps
        if let latency = heartbeats.latency {
            health.one_way_raw_ns = latency.raw
            health.one_way_ns = latency.corrected ?? latency.raw
            health.clock_offset_ns = latency.offset ?? 0
        }
        if heartbeats.isRunning {
            health.silent_ns = UInt64(clamping: (now - max(heartbeats.lastBytes, session.lastBytesAt ?? heartbeats.lastBytes)).nanoseconds)
            health.data_silent_ns = UInt64(clamping: (now - heartbeats.lastData).nanoseconds)
        }
        health.heartbeats_received = heartbeats.totals.received
        health.heartbeats_answered = heartbeats.totals.answered
        health.heartbeats_failed = heartbeats.totals.failed
        health.beats_acked = heartbeats.totals.beatsAcked
        health.beats_late = heartbeats.totals.beatsLate
        health.ping_interval_ns = UInt64(clamping: heartbeats.pingInterval?.nanoseconds ?? 0)
        return health
    }

    private func fillResponses(_ health: inout hw_health) {
        func ns(_ interval: Interval) -> UInt64 { UInt64(clamping: interval.nanoseconds) }
        let recent = heartbeats.responses.recent
        let all = heartbeats.responses.all
        health.responses = UInt32(clamping: recent.count)
        health.response_last_ns = ns(recent.last)
        health.response_min_ns = ns(recent.min)
        health.response_mean_ns = ns(recent.mean)
        health.response_median_ns = ns(recent.median)
        health.response_p99_ns = ns(recent.p99)
        health.response_max_ns = ns(recent.max)
        health.responses_total = UInt64(clamping: all.count)
        health.responses_median_ns = ns(all.percentile(permille: 500))
        health.responses_p99_ns = ns(all.percentile(permille: 990))
        health.responses_p999_ns = ns(all.percentile(permille: 999))
        health.responses_max_ns = ns(all.percentile(permille: 1000))
    }

    private func fillRoundTrips(_ health: inout hw_health) {
        func ns(_ interval: Interval) -> UInt64 { UInt64(clamping: interval.nanoseconds) }
        let roundTrips = heartbeats.roundTrips
        health.round_trips = UInt32(clamping: roundTrips.count)
        health.round_trip_variance_ms2 = UInt32(clamping: roundTrips.variance / 1_000_000)
        health.round_trip_last_ns = ns(roundTrips.latest)
        health.round_trip_mean_ns = ns(roundTrips.mean)
        health.round_trip_min_ns = ns(roundTrips.shortest)
        health.round_trip_max_ns = ns(roundTrips.longest)
    }
}
