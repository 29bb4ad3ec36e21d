import CHeartwire
import CSystem
import Heartbeat
import WebSocket

/// What the process has one of: the handle table, the threads, the resolver. Threads start with the first connection.
final class Library: @unchecked Sendable {
    let handles: HandleTable
    let resolver = Resolver()
    let tlsContexts = TLSContexts()
    let environment = SystemEnvironment()
    let hostGates = SharedHostGates()
    let log = Log()
    let metrics = MetricsCollector()
    let dispatcher: Dispatcher
    private let epoch: UInt
    private let lock = Lock()
    private var io: IOThread?
    private var hasStopped = false

    private init(epoch: UInt) {
        self.epoch = epoch
        handles = HandleTable(epoch: epoch)
        dispatcher = Dispatcher(log)
    }

    /// The I/O thread, started if need be. The dispatcher is started with it.
    func startedIOThread() throws(ErrorDetails) -> IOThread {
        let started = lock.withLock { () -> IOThread? in
            if let io { return hasStopped || io.isStopped ? nil : io }
            guard let fresh = IOThread(), dispatcher.start(), fresh.start() else { return nil }
            io = fresh
            // OpenSSL's own exit handler must be registered first, so that it runs after ours.
            OPENSSL_init_ssl(0, nil)
            atexit { Library.shared.stop() }
            return fresh
        }
        guard let started else {
            let code = hws_errno()
            let sentence = "the library has no threads to work with: \(systemErrorText(code))"
            let error = ErrorDetails(HW_E_SYSTEM, HW_LAYER_SYSTEM, sentence)
            error.nativeCode = code
            error.isRetryable = true
            throw error
        }
        return started
    }

    /// True on a thread that runs callbacks.
    var isLibraryThread: Bool {
        if dispatcher.isCurrentThread { return true }
        return lock.withLock { io }?.isCurrentThread ?? false
    }

    /// True once the process is ending, or the I/O thread could not go on.
    var isStopped: Bool { lock.withLock { hasStopped || io?.isStopped == true } }

    /// The process ends: quiet the threads, so that none is inside OpenSSL while it is taken down.
    private func stop() {
        let deadline = Clock.now() + .seconds(1)
        let io = lock.withLock { () -> IOThread? in
            hasStopped = true
            return self.io
        }
        io?.stop(until: deadline)
        dispatcher.stop(until: deadline)
        // Only now does no callback run any more.
        io?.endReleases()
    }

    /// Major, minor, patch.
    static var version: [UInt8] {
        let number = hw_version()
        return "\(number >> 24).\(number >> 16 & 0xFF).\(number >> 8 & 0xFF)".bytes
    }

    // MARK: The process's instance

    static var shared: Library { inherited ?? first }

    private static let first: Library = {
        pthread_atfork(nil, nil) { Library.forked() }
        return Library(epoch: 0)
    }()

    /// Takes the place of `first` in a forked child.
    nonisolated(unsafe) private static var inherited: Library?

    /// In the child of a fork only the calling thread exists, and the parent's locks may be held for good: start over with nothing, and never
    /// touch what was inherited. Handles of the parent's answer HW_E_FORKED by their epoch.
    private static func forked() {
        let parent = shared
        _ = Unmanaged.passRetained(parent)
        inherited = Library(epoch: parent.epoch &+ 1)
        SegmentPool.renewAfterFork()
    }
}
