import CHeartwire
import Heartbeat
import Session
import Testing

@testable import Heartwire

struct ConnectionSnapshotTests {
    @Test func isEmptyAtFirst() {
        let metrics = ConnectionSnapshot().metrics()
        #expect(metrics.state == hw_state(HW_STATE_CONNECTING))
        #expect(metrics.uptime_ms == 0)
        #expect(metrics.last_message_ns == 0)
        #expect(metrics.rtt_mean_ns == 0)
    }

    @Test func putsEveryCounterInItsPlace() {
        var snapshot = ConnectionSnapshot()
        snapshot.state = .connected
        snapshot.epoch = 1
        snapshot.session.messagesReceived = 2
        snapshot.session.bytesReceived = 3
        snapshot.session.beatsMissed = 4
        snapshot.session.pingsReceived = 5
        snapshot.session.pongsReceived = 6
        snapshot.session.reconnections = 7
        snapshot.session.attemptsFailed = 8
        snapshot.session.errors = 9
        snapshot.session.lastMessageAt = Instant(nanoseconds: 10)
        snapshot.heartbeats.roundTrips.record(Interval(nanoseconds: 21), Instant(nanoseconds: 0))
        snapshot.heartbeats.roundTrips.record(Interval(nanoseconds: 11), Instant(nanoseconds: 0))
        snapshot.outbox.messagesSent = 12
        snapshot.outbox.bytesSent = 13
        snapshot.outbox.beatsSent = 14
        snapshot.outbox.pongsSent = 15
        snapshot.messagesDropped = 17
        snapshot.queuedMessages = 18
        snapshot.queuedBytes = 19
        let metrics = snapshot.metrics()
        #expect(metrics.state == hw_state(HW_STATE_CONNECTED))
        let counters = [
            metrics.epoch, metrics.messages_received, metrics.bytes_received, metrics.beats_missed, metrics.pings_received,
            metrics.pongs_received, metrics.reconnections, metrics.attempts_failed, metrics.errors, metrics.last_message_ns,
            metrics.rtt_last_ns, metrics.messages_sent, metrics.bytes_sent, metrics.beats_sent, metrics.pongs_sent, metrics.rtt_mean_ns,
            metrics.messages_dropped, metrics.queue_messages, metrics.queue_bytes,
        ]
        #expect(counters == Array(1...19))
    }

    @Test func countsUptimeFromTheOpening() {
        var snapshot = ConnectionSnapshot()
        snapshot.session.openedAt = Clock.now() + .seconds(-5)
        #expect(snapshot.metrics().uptime_ms >= 5000)
        snapshot.session.openedAt = Clock.now() + .seconds(3600)
        #expect(snapshot.metrics().uptime_ms == 0)
    }
}
