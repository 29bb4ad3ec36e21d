import CHeartwire

/// What is counted of all listeners of one name, for the metrics. Any thread may count.
final class ListenerCounts: @unchecked Sendable {
    /// In the order in which `ListenerFamilies` names them.
    enum Counter: Int {
        case accepted, timedOut
        case broadcasts, deliveries, leftOut
        case refusedFull, refusedRequest, refusedOrigin, refusedApplication, refusedUnfinished
        /// Clients that are let in at present.
        case clients
    }

    let name: [UInt8]
    private let lock = Lock()
    private var numbers = [UInt64](repeating: 0, count: Counter.clients.rawValue + 1)
    private var listeners = 0

    init(_ name: [UInt8]) {
        self.name = name
    }

    func listenerOpened() { lock.withLock { listeners += 1 } }

    func listenerClosed() { lock.withLock { listeners -= 1 } }

    func count(_ counter: Counter) { lock.withLock { numbers[counter.rawValue] &+= 1 } }

    func clientAccepted() {
        lock.withLock {
            numbers[Counter.accepted.rawValue] &+= 1
            numbers[Counter.clients.rawValue] &+= 1
        }
    }

    func clientGone() { lock.withLock { numbers[Counter.clients.rawValue] &-= 1 } }

    /// What the host is told of a client.
    func observe(_ event: hw_event) {
        if event.kind == hw_event_kind(HW_EVENT_CLOSED) && event.status == hw_status(HW_E_HEARTBEAT) { count(.timedOut) }
    }

    func broadcastSent(delivered: UInt64, leftOut: UInt64) {
        lock.withLock {
            numbers[Counter.broadcasts.rawValue] &+= 1
            numbers[Counter.deliveries.rawValue] &+= delivered
            numbers[Counter.leftOut.rawValue] &+= leftOut
        }
    }

    /// For `ListenerFamilies`.
    var row: MetricsRow {
        lock.withLock { () -> MetricsRow in
            let row = MetricsRow(name, numbers)
            row.isPresent = listeners > 0
            return row
        }
    }
}
