import Heartbeat
import Session
import WebSocket

/// Sends a look at all connections to whoever has the monitor's page open, once a second. While nobody has, it does nothing. It is the I/O
/// thread's own.
struct Monitor {
    private static let interval = Interval.seconds(1)

    private let environment = SystemEnvironment()
    private var viewers: [Connection] = []
    /// When `run` has something to do; nil while nobody looks.
    private(set) var deadline: Instant?

    mutating func add(_ viewer: Connection, _ now: Instant) {
        viewers.append(viewer)
        if deadline == nil { deadline = now }
    }

    /// Early calls are harmless.
    mutating func run(_ connections: [Connection?], _ now: Instant) {
        guard let deadline, now >= deadline else { return }
        viewers.removeAll { $0.isTornDown }
        self.deadline = viewers.isEmpty ? nil : now + Self.interval
        // A page that has not taken the last look yet gets none now.
        let ready = viewers.filter { viewer in viewer.lock.withLock { viewer.outboxes[viewer.outboxes.active].queuedMessages == 0 } }
        guard !ready.isEmpty else { return }
        let text = MonitorFrame(connections, now).text(unixNanoseconds: environment.unixNanoseconds(at: now))
        for viewer in ready { _ = text.withUnsafeBytes { viewer.send(.text, $0, SendOptions(isNow: true)) } }
    }
}
