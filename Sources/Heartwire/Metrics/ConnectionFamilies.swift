import Heartbeat
import Session

/// The families of metrics that connections have, and the numbers of a row: counters, gauges, handles by state, histograms.
enum ConnectionFamilies {
    private static let counters: StaticString = """
        beats_sent
        Pings and payload beats sent.
        beats_acked
        Pings and payload beats acknowledged, in time or late.
        beats_late
        Beats acknowledged after they had counted as missed.
        beats_missed
        Pings and payload beats not acknowledged in time.
        heartbeats_received
        Heartbeats of the other side: pings, and messages that rules know.
        heartbeats_answered
        Answers to heartbeats handed to the kernel.
        heartbeats_failed
        Heartbeats answered too late or not at all.
        messages_received
        Text and binary messages received.
        messages_sent
        Text and binary messages handed to the kernel.
        attempts
        Attempts to connect.
        attempts_failed
        Attempts to connect that failed.
        reconnections
        Connections established after a loss.
        rotations
        Connections replaced before they broke.
        errors
        Failed attempts, protocol violations, lost connections, dead peers.
        messages_dropped
        Received messages dropped because the inbox was full.
        duplicates_dropped
        Received messages left out because the other connection had delivered them.
        queue_expired
        Messages not sent within their time to live.
        queue_dropped
        Messages dropped because the queue was full.
        queue_cancelled
        Messages taken back, or not sent when the connection ended.
        """
    private static let byteCounters: StaticString = """
        received_bytes
        WebSocket bytes received.
        sent_bytes
        WebSocket bytes handed to the kernel.
        """
    private static let byteCountersStart = 19

    private static let gauges: StaticString = """
        pinged_faster
        Connections whose pings come faster because round trips are long or beats are missed.
        queue_messages
        Messages that wait to be sent.
        """
    private static let byteGauges: StaticString = """
        queue_bytes
        Bytes of the messages that wait to be sent.
        """
    private static let timeGauges: StaticString = """
        last_round_trip_seconds
        The last round trip, the longest of several connections.
        last_message_age_seconds
        How long ago the last message came, the longest of several connections.
        """
    private static let gaugesStart = byteCountersStart + 2
    private static let timeGaugesStart = gaugesStart + 3

    /// As hw_state numbers them.
    private static let states: StaticString = """
        state="disconnected" state="connecting" state="connected" state="reconnecting" state="closing" state="failed"
        """
    private static let statesStart = timeGaugesStart + 2
    private static let timesStart = statesStart + 6

    static func emptyRow(_ name: [UInt8]) -> MetricsRow {
        MetricsRow(name, [UInt64](repeating: 0, count: timesStart + TimeBuckets.measures * TimeBuckets.stride))
    }

    /// What a connection that has ended leaves to be counted.
    static func addCounters(_ snapshot: ConnectionSnapshot, to row: MetricsRow) {
        let session = snapshot.session
        let totals = snapshot.heartbeats.totals
        add(
            [
                snapshot.outbox.beatsSent, totals.beatsAcked, totals.beatsLate, session.beatsMissed,
                totals.received, totals.answered, totals.failed,
                session.messagesReceived, snapshot.outbox.messagesSent,
                session.attempts, session.attemptsFailed, session.reconnections, session.rotations, session.errors,
                snapshot.messagesDropped, session.duplicatesDropped,
                snapshot.outcomes.expired, snapshot.outcomes.dropped, snapshot.outcomes.cancelled,
                session.bytesReceived, snapshot.outbox.bytesSent,
            ], to: row, at: 0)
        add(snapshot.heartbeats.times.numbers, to: row, at: timesStart)
    }

    /// What there is of it at present. A handle that was given back is there no more.
    static func addGauges(_ snapshot: ConnectionSnapshot, _ now: Instant, to row: MetricsRow) {
        guard !snapshot.isReleased else { return }
        row.isPresent = true
        row.numbers[statesStart + Int(snapshot.state.rawValue)] &+= 1
        add(
            [
                snapshot.heartbeats.isPingedFaster ? 1 : 0, UInt64(clamping: snapshot.queuedMessages),
                UInt64(clamping: snapshot.queuedBytes),
            ], to: row, at: gaugesStart)
        // Nothing more is to be expected of a connection that has ended.
        guard !snapshot.state.isFinal else { return }
        raise(row, timeGaugesStart, to: snapshot.heartbeats.roundTrips.last)
        if let last = snapshot.session.lastMessageAt { raise(row, timeGaugesStart + 1, to: now - last) }
    }

    @inline(never)
    private static func add(_ numbers: [UInt64], to row: MetricsRow, at start: Int) {
        for index in numbers.indices { row.numbers[start + index] &+= numbers[index] }
    }

    @inline(never)
    private static func raise(_ row: MetricsRow, _ index: Int, to time: Interval) {
        row.numbers[index] = max(row.numbers[index], UInt64(clamping: time.nanoseconds))
    }

    static func write(_ rows: [MetricsRow], to text: inout OpenMetricsText) {
        text.families(.counter, counters, rows, at: 0)
        text.families(.counter, unit: .bytes, byteCounters, rows, at: byteCountersStart)
        text.families(.gauge, gauges, rows, at: gaugesStart)
        text.families(.gauge, unit: .bytes, byteGauges, rows, at: gaugesStart + 2)
        text.families(.gauge, unit: .seconds, timeGauges, rows, at: timeGaugesStart)
        text.family(.gauge, "connections", "Connections by state.", by: states, rows, at: statesStart)
        text.histogram(
            "heartbeat_latency_seconds", "From the arrival of a heartbeat until its answer was handed to the kernel.", rows,
            at: timesStart + TimeBuckets.Measure.latency.rawValue * TimeBuckets.stride)
        text.histogram(
            "round_trip_seconds", "From a ping or payload beat until its acknowledgement.", rows,
            at: timesStart + TimeBuckets.Measure.roundTrip.rawValue * TimeBuckets.stride)
    }
}
