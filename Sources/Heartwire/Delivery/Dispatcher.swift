import CHeartwire
import Heartbeat

/// The thread that runs the host's callbacks, in order, one at a time. A callback may block it for as long as it likes: the I/O thread goes
/// on, and the connections' inboxes take the strain.
final class Dispatcher: @unchecked Sendable {
    private let lock = Lock()
    private let changed: Condition
    /// Those of this round, the next one last: taking the first of thousands would move all others.
    private var round: [Connection] = []
    /// Those of the round after it, in their order.
    private var ready: [Connection] = []
    private var thread: Thread?
    private var isStopping = false
    private var isIdle = true
    private let log: Log
    private var hasLogLines = false

    private static let capacity = 256

    init(_ log: Log) {
        self.log = log
        changed = Condition(lock)
        log.start { [self] in logLinesWait() }
    }

    private func logLinesWait() {
        lock.withLock {
            hasLogLines = true
            if isIdle { changed.wake() }
        }
    }

    /// False if the system refuses a thread.
    func start() -> Bool {
        lock.withLock { () -> Bool in
            if thread == nil {
                thread = Thread.start("heartwire-calls") { [self] in run() }
                thread?.detach()
            }
            return thread != nil
        }
    }

    var isCurrentThread: Bool { lock.withLock { thread?.isCurrent ?? false } }

    /// The connection's inbox has something; a connection is scheduled once for each time that its inbox was empty.
    func schedule(_ connection: Connection) {
        let mustWake = lock.withLock { () -> Bool in
            ready.append(connection)
            return isIdle
        }
        // With the lock held the thread would wake only to wait for it.
        if mustWake { changed.wake() }
    }

    /// For the end of the process: no callback starts any more. Waits for the one that runs, but not beyond the deadline and not for itself.
    func stop(until deadline: Instant) {
        lock.withLock {
            isStopping = true
            guard let thread, !thread.isCurrent else { return }
            while !isIdle && changed.wait(until: deadline) {}
        }
    }

    private func run() {
        let deliveries = UnsafeMutablePointer<hw_delivery>.allocate(capacity: Self.capacity)
        let messages = UnsafeMutablePointer<hw_message>.allocate(capacity: Self.capacity)
        while true {
            let (connection, hasLines) = next()
            if hasLines && log.deliver() { logLinesWait() }
            if let connection, connection.runCallbacks(deliveries, messages, capacity: Self.capacity) { schedule(connection) }
        }
    }

    /// Waits for a connection with deliveries, or log lines, or both. Does not return but sleeps for good once the process ends, because a
    /// thread that returns would free what an exiting host may still look at.
    private func next() -> (connection: Connection?, hasLogLines: Bool) {
        lock.withLock { () -> (Connection?, Bool) in
            isIdle = true
            changed.wake()
            while (round.isEmpty && ready.isEmpty && !hasLogLines) || isStopping { _ = changed.wait(until: nil) }
            isIdle = false
            defer { hasLogLines = false }
            if round.isEmpty {
                swap(&round, &ready)
                round.reverse()
            }
            return (round.popLast(), hasLogLines)
        }
    }
}
