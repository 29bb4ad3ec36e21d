import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// What `hw_connection` refers to: a session, its outbox and its transport, and the way to the host.
///
/// The I/O thread owns the session and opens and closes the transport. The lock guards what senders share with it: the outbox, writing to
/// the stream, and the published snapshot. Each of the other files has the methods of one thread or one way.
final class Connection: @unchecked Sendable {
    let io: IOThread
    let plan: ConnectionPlan
    let library: Library
    let delivery: Delivery
    /// Set once, under the lock, before the I/O thread hears of the connection.
    var handle: OpaquePointer?

    // The I/O thread's own.
    var session: Session
    var slot: Int?
    lazy var addressMemory = AddressMemory()
    /// Counts the attempts of both channels.
    var lastSerial: UInt32 = 0
    var isTornDown = false
    /// The collector of metrics' own: under which of its names the connection counts, set before others know of it, and where it stands there.
    var metricsName = 0
    var metricsMember = 0
    /// Many messages of the last turn concerned heartbeat rules.
    var isBusyWithRules = false
    /// The I/O thread's list of connections to read again holds this one.
    var isToReadAgain = false
    /// The listener that has let it in; nil for a connection that the host has opened.
    let listener: Listener?
    /// Set for a client that is to be turned away whatever it asks for.
    var refusal: AcceptFailure?
    /// Of a client: what it asks for, while the host decides.
    var pendingRequest: HandshakeRequest?
    /// Of a client: the host knows of it.
    var isHeardOf = false
    /// Of a client: what has become of its asking.
    var admission = Admission.awaited
    /// Of a client: the path that it asked for, as far as it is shown; empty for the root.
    var askedPath: [UInt8] = []
    /// Tells connections apart for as long as the process runs.
    var number: UInt64 = 0

    // Guarded by the listener's lock.
    /// Where the listener has it; nil once it has gone.
    var listenerPlace: Int?
    var memberships = Groups.Memberships()

    /// Senders pass it one at a time on their way to the lock, so that however many there are, the I/O thread competes with one.
    let turnstile = Lock()

    // Guarded by the lock.
    let lock = Lock()
    let changed: Condition
    var outboxes: Outboxes
    let first: Channel
    let second: Channel
    var published = ConnectionSnapshot()
    /// Made with the plan, or when the application names the first wss URL.
    var tls: TLSClient?
    /// Answers to what was asked before attempts, for the I/O thread to take.
    var answers: [(attemptId: UInt64, prepared: PreparedAttempt)] = []
    /// What the host has decided about a client.
    var decisions: [(attemptId: UInt64, refusal: AcceptFailure?)] = []
    /// What the host has detected, for the I/O thread to take.
    var detections: [(detection: Detection, epoch: UInt64)] = []
    /// The I/O thread has been asked to look.
    var awaitsAttention = false
    /// The I/O thread has been asked to write what was broadcast.
    var awaitsFlush = false
    static let detectionsMax = 1024
    var isReleased = false
    /// Released from inside a callback: nothing but the last event is delivered any more.
    var dropsDeliveries = false
    var lastCallbackDone = false

    init(_ plan: ConnectionPlan, library: Library, io: IOThread, listener: Listener? = nil) {
        self.plan = plan
        self.listener = listener
        self.library = library
        self.io = io
        delivery = Delivery(plan)
        tls = plan.tls
        let variables = (HeartbeatVariables(plan.session.heartbeat), HeartbeatVariables(plan.session.heartbeat))
        session = Session(
            plan.session, seed: SystemRandom.seed(), environment: library.environment, gates: library.hostGates,
            variables: variables)
        outboxes = Outboxes(
            first: Outbox(role: plan.session.role, limits: plan.outbox, variables: variables.0) { SystemRandom.fill($0) },
            second: {
                Outbox(role: plan.session.role, limits: plan.outbox, variables: variables.1, hasQueue: false) { SystemRandom.fill($0) }
            },
            kept: KeptMessages(messagesMax: plan.outbox.messagesMax, bytesMax: plan.outbox.bytesMax))
        first = Channel(.first, poller: io.poller)
        second = Channel(.second, poller: io.poller)
        changed = Condition(lock)
    }

    func channel(_ place: LinkPlace) -> Channel {
        switch place {
        case .first: first
        case .second: second
        }
    }

    /// The channel of the attempt or connection that has this number; nil if it is over.
    func channel(serial: UInt32) -> Channel? {
        if first.serial == serial { return first }
        return second.serial == serial ? second : nil
    }

    // MARK: Any thread

    func open(_ handle: OpaquePointer) {
        lock.withLock { self.handle = handle }
        library.metrics.add(self)
        io.post(.start(self))
    }

    func close(_ frame: CloseFrame) {
        lock.withLock { outboxes[outboxes.active].seal() }
        io.post(.close(self, frame))
    }

    /// As `close`, if there is something to close; one that is just being opened comes too late for that.
    func closeIfOpen(_ frame: CloseFrame) -> Bool {
        let isOpen = lock.withLock { handle != nil && !isReleased && !published.state.isFinal }
        if isOpen { close(frame) }
        return isOpen
    }

    /// After `close`: has it end at once.
    func cutOff() {
        io.post(.cutOff(self))
    }

    /// The handle is stale already. Waits for the last callback unless it is called from inside one, or none will come.
    func release() {
        let isInCallback = library.isLibraryThread
        lock.withLock {
            isReleased = true
            dropsDeliveries = isInCallback
            outboxes[outboxes.active].seal()
            changed.wake()
        }
        io.post(.release(self))
        // Once the process is ending the I/O thread has stopped, and no callback comes any more.
        guard delivery.hasCallbacks, !isInCallback, !library.isStopped else { return }
        lock.withLock {
            while !lastCallbackDone { _ = changed.wait(until: nil) }
        }
    }

    var snapshot: ConnectionSnapshot {
        lock.withLock { () -> ConnectionSnapshot in
            var snapshot = published
            snapshot.isReleased = isReleased
            snapshot.outbox = outboxes.metrics
            snapshot.outcomes = outboxes[outboxes.active].outcomeCounts
            snapshot.queuedMessages = outboxes[outboxes.active].queuedMessages
            snapshot.keptMessages = outboxes.kept.count
            snapshot.queuedBytes = outboxes[outboxes.active].queuedBytes
            return snapshot
        }
    }

    /// Of the transport that sending uses; nil if there is none.
    var peerAddress: SocketAddress? { lock.withLock { channel(outboxes.active).transport.stream?.peerAddress } }

    enum Waited {
        case reached
        case otherEnd(ErrorDetails?)
        case timeout(ErrorDetails?)
        case released
    }

    func wait(for state: State, until deadline: Instant?) -> Waited {
        lock.withLock { () -> Waited in
            while true {
                if isReleased { return .released }
                if library.isStopped { return published.state == state ? .reached : .otherEnd(published.lastError) }
                if published.state == state { return .reached }
                if published.state.isFinal && published.hasStarted { return .otherEnd(published.lastError) }
                if let deadline, Clock.now() >= deadline { return .timeout(published.lastError) }
                _ = changed.wait(until: deadline)
            }
        }
    }

    /// From whoever took messages: a paused connection may read on.
    func inboxHasRoom() {
        io.post(.resumeReading(self))
    }

    // MARK: For the receiving path

    func hasPendingBytes(_ channel: Channel) -> Bool { lock.withLock { channel.transport.stream?.hasPending ?? false } }

    /// Reads from the stream, under the lock if TLS shares its state with writers.
    func readStream(_ channel: Channel, into buffer: UnsafeMutableRawBufferPointer) -> StreamResult? {
        guard let stream = channel.transport.stream else { return nil }
        return stream.needsLockToRead ? lock.withLock { stream.read(into: buffer) } : stream.read(into: buffer)
    }

    func readAgainWhenWritable(_ channel: Channel) {
        lock.withLock { channel.transport.readAgainWhenWritable() }
    }

    /// What rules have answered leaves before the host hears of the messages.
    func flushAnswers(_ channel: Channel) {
        lock.withLock {
            while flush(channel) {}
        }
    }

    /// Runs `body` with the session and the outboxes, as the session's transport inputs want them.
    func withSession(_ body: (inout Session, inout Outboxes) -> Void) {
        lock.withLock { body(&session, &outboxes) }
    }
}
