import Heartbeat
import WebSocket

/// Knows all connections and listeners of the process and what those that have ended leave to be counted, and makes a text of that.
///
/// A connection counts from its opening until its end as what its snapshot says, then in the totals of its name, so that no counter ever goes
/// back. The lock is never held together with a connection's.
final class MetricsCollector: @unchecked Sendable {
    /// Connections and listeners of further names are counted under a common one.
    static let namesMax = 100
    private static let otherName: StaticString = "other"

    private let lock = Lock()
    /// Of the connections that have ended, for each name in the order in which the names came.
    private var ended: [MetricsRow] = []
    private var members: [Connection] = []
    /// For each name that a listener has had.
    private var listeners: [ListenerCounts] = []

    func add(_ connection: Connection) {
        lock.withLock {
            connection.metricsName = place(ofName: connection.plan.metricsName)
            connection.metricsMember = members.count
            members.append(connection)
        }
    }

    /// The connection has ended: nothing that is counted happens to it any more.
    func remove(_ connection: Connection) {
        let snapshot = connection.snapshot
        lock.withLock {
            let member = connection.metricsMember
            guard member < members.count, members[member] === connection, let last = members.popLast() else { return }
            ConnectionFamilies.addCounters(snapshot, to: ended[connection.metricsName])
            guard last !== connection else { return }
            members[member] = last
            last.metricsMember = member
        }
    }

    /// Where a listener of this name counts.
    func counts(ofListener name: [UInt8]) -> ListenerCounts {
        lock.withLock {
            let isKnown = listeners.contains { $0.name == name }
            let shown = isKnown || listeners.count < Self.namesMax ? name : ASCII.bytes(Self.otherName)
            if let counts = listeners.first(where: { $0.name == shown }) { return counts }
            let counts = ListenerCounts(shown)
            listeners.append(counts)
            return counts
        }
    }

    /// All metrics of the process.
    func text(_ now: Instant) -> [UInt8] {
        var text = OpenMetricsText(label: "connection")
        ConnectionFamilies.write(rows(now), to: &text)
        text.label = "listener"
        ListenerFamilies.write(lock.withLock { listeners }.map { $0.row }, to: &text)
        text.end()
        return text.bytes
    }

    /// One for each name, in the order in which the names came.
    private func rows(_ now: Instant) -> [MetricsRow] {
        var rows: [MetricsRow] = []
        var connections: [Connection] = []
        lock.withLock {
            rows = ended.map { MetricsRow($0.name, $0.numbers) }
            connections = members
        }
        for connection in connections {
            let snapshot = connection.snapshot
            let row = rows[connection.metricsName]
            ConnectionFamilies.addCounters(snapshot, to: row)
            ConnectionFamilies.addGauges(snapshot, now, to: row)
        }
        return rows
    }

    private func place(ofName name: [UInt8]) -> Int {
        if let place = ended.firstIndex(where: { $0.name == name }) { return place }
        let other = ASCII.bytes(Self.otherName)
        guard ended.count < Self.namesMax || name == other else { return place(ofName: other) }
        ended.append(ConnectionFamilies.emptyRow(name))
        return ended.count - 1
    }
}
