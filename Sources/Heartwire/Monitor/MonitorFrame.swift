import Heartbeat
import Session
import WebSocket

/// One look at all connections, as the monitor's page wants it. The I/O thread makes it.
struct MonitorFrame {
    /// More are counted, and not listed; those that do worst come first.
    private static let shownMax = 200
    /// By their raw values.
    private static let lights: [StaticString] = ["error", "warning", "healthy"]
    private static let states: [StaticString] = ["disconnected", "connecting", "connected", "reconnecting", "closing", "failed"]

    private struct Row {
        let connection: Connection
        let status: MonitorStatus
        let pulse: HeartbeatPulse
    }

    private let now: Instant
    /// By light, each no more than can be shown.
    private var rows: [[Row]] = [[], [], []]
    private var counts = [0, 0, 0]
    private var worstLatency: Interval?
    private var beatsMissed: UInt64 = 0

    init(_ connections: [Connection?], _ now: Instant) {
        self.now = now
        for case let connection? in connections where connection.isOnMonitor { add(connection) }
    }

    private mutating func add(_ connection: Connection) {
        let metrics = connection.session.metrics
        let pulse = connection.session.heartbeatPulse
        let status = MonitorStatus(
            connection.session.state, pulse, reconnected: metrics.reconnections > 0 ? metrics.openedAt : nil, now)
        let light = status.light.rawValue
        counts[light] += 1
        if rows[light].count < Self.shownMax { rows[light].append(Row(connection: connection, status: status, pulse: pulse)) }
        beatsMissed &+= metrics.beatsMissed
        let roundTrips = connection.session.roundTrips
        if roundTrips.count > 0 { worstLatency = max(worstLatency ?? .zero, roundTrips.latest) }
    }

    func text(unixNanoseconds: Int64) -> [UInt8] {
        let shown = rows.flatMap { $0 }.prefix(Self.shownMax)
        var json = JSONWriter()
        json.beginObject()
        json.name("time")
        json.string(CalendarTime.text(unixMilliseconds: unixNanoseconds / 1_000_000))
        json.name("version")
        json.string(Library.version)
        json.name("fleet")
        writeFleet(shown.count, &json)
        json.name("connections")
        json.beginArray()
        for row in shown { write(row, &json) }
        json.endArray()
        json.endObject()
        return json.bytes
    }

    private func writeFleet(_ shown: Int, _ json: inout JSONWriter) {
        json.beginObject()
        json.name("connections")
        json.number(UInt64(counts.reduce(0, +)))
        for (index, name) in Self.lights.enumerated() {
            json.name(name)
            json.number(UInt64(counts[index]))
        }
        json.name("latency_worst_ms")
        json.milliseconds(worstLatency)
        json.name("beats_missed")
        json.number(beatsMissed)
        json.name("shown")
        json.number(UInt64(shown))
        json.endObject()
    }

    private func write(_ row: Row, _ json: inout JSONWriter) {
        let connection = row.connection
        json.beginObject()
        json.name("id")
        json.number(connection.number)
        json.name("name")
        json.string(connection.shownName)
        json.name("role")
        json.string(ASCII.bytes(connection.listener == nil ? "client" : "server"))
        json.name("state")
        json.string(ASCII.bytes(Self.states[Int(connection.session.state.rawValue)]))
        json.name("status")
        json.string(ASCII.bytes(Self.lights[row.status.light.rawValue]))
        json.name("reason")
        json.string(ASCII.bytes(row.status.reason))
        json.name("peer_address")
        if let address = connection.peerAddress { json.string(address.text.bytes) } else { json.number(nil) }
        writeTimes(row, &json)
        writeCounts(connection, &json)
        json.endObject()
    }

    private func writeTimes(_ row: Row, _ json: inout JSONWriter) {
        let roundTrips = row.connection.session.roundTrips
        // From poor to excellent.
        let quality = row.pulse.quality.rawValue
        json.name("quality")
        json.number(quality == 0 ? nil : UInt64(quality) * 25)
        let times: [(name: StaticString, time: Interval?)] = [
            ("latency_ms", roundTrips.count > 0 ? roundTrips.latest : nil),
            ("latency_mean_ms", roundTrips.count > 0 ? roundTrips.mean : nil),
            ("last_beat_age_ms", row.pulse.lastBeat.map { now - $0 }),
            ("next_beat_in_ms", row.pulse.next.map { $0.due - now }),
            ("interval_ms", row.pulse.next?.interval),
            ("uptime_ms", row.connection.session.metrics.openedAt.map { now - $0 }),
        ]
        for (name, time) in times {
            json.name(name)
            json.milliseconds(time)
        }
        json.name("beats")
        json.beginArray()
        for beat in roundTrips.recent(now) {
            json.beginArray()
            json.milliseconds(beat.age)
            json.milliseconds(beat.roundTrip)
            json.endArray()
        }
        json.endArray()
    }

    private func writeCounts(_ connection: Connection, _ json: inout JSONWriter) {
        let snapshot = connection.snapshot
        let totals = connection.session.heartbeatTotals
        let counts: [(name: StaticString, count: UInt64)] = [
            ("beats_sent", snapshot.outbox.beatsSent), ("beats_received", totals.received), ("beats_answered", totals.beatsAcked),
            ("beats_missed", connection.session.metrics.beatsMissed), ("queue_messages", UInt64(snapshot.queuedMessages)),
            ("queue_bytes", UInt64(snapshot.queuedBytes)), ("reconnections", connection.session.metrics.reconnections),
            ("dropped", snapshot.messagesDropped &+ snapshot.outcomes.dropped),
        ]
        for (name, count) in counts {
            json.name(name)
            json.number(count)
        }
    }
}

extension Connection {
    /// Not those of pages, nor clients that have not been let in, nor what the host has given back.
    fileprivate var isOnMonitor: Bool {
        guard listener == nil || admission == .accepted && !isVisitor else { return false }
        return !isTornDown && lock.withLock { !isReleased }
    }

    /// As the host calls it, or else where it leads to, without what may be secret.
    fileprivate var shownName: [UInt8] {
        if !plan.settings.bytes(.metricsName).isEmpty { return plan.metricsName }
        let url = plan.session.url
        let path = listener == nil ? [UInt8](url.resource.prefix { $0 != 0x3F }) : askedPath
        return ASCII.bytes(url.isSecure ? "wss://" : "ws://") + url.hostField + path
    }
}
