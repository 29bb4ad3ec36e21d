import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// What `hw_connection` refers to: a session, its outbox and its transport, and the way to the host.
///
/// The I/O thread owns the session and opens and closes the transport. The lock guards what senders share with it: the outbox, writing to
/// the stream, and the published snapshot. Methods are grouped by the thread that calls them; the receiving path is in Connection+Receive.
final class Connection: @unchecked Sendable {
    let io: IOThread
    let plan: ConnectionPlan
    let library: Library
    private let delivery: Delivery
    /// Set once, before the I/O thread hears of the connection.
    private var handle: OpaquePointer?

    // The I/O thread's own.
    var session: Session
    var slot: Int?
    var connector: Connector?
    var lookup: UInt64?
    let addressMemory = AddressMemory()
    /// Counts the attempts: an event or answer that belongs to an earlier one is recognised by it.
    var serial: UInt32 = 0
    var isReadingPaused = false
    private var isTornDown = false
    /// Many messages of the last turn concerned heartbeat rules.
    var isBusyWithRules = false
    /// The I/O thread's list of connections to read again holds this one.
    var isToReadAgain = false

    /// Senders pass it one at a time on their way to the lock, so that however many there are, the I/O thread competes with one.
    private let turnstile = Lock()

    // Guarded by the lock.
    let lock = Lock()
    private let changed: Condition
    var outbox: Outbox
    var transport: Transport
    private var published = ConnectionSnapshot()
    /// What the host has detected, for the I/O thread to take.
    private var detections: [(detection: Detection, epoch: UInt64)] = []
    /// The I/O thread has been asked to look.
    private var awaitsAttention = false
    private static let detectionsMax = 1024
    private var isReleased = false
    /// Released from inside a callback: nothing but the last event is delivered any more.
    private var dropsDeliveries = false
    private var lastCallbackDone = false

    init(_ plan: ConnectionPlan, library: Library, io: IOThread) {
        self.plan = plan
        self.library = library
        self.io = io
        delivery = Delivery(plan)
        let variables = HeartbeatVariables(plan.session.heartbeat)
        session = Session(plan.session, seed: SystemRandom.seed(), environment: library.environment, variables: variables)
        outbox = Outbox(role: .client, limits: plan.outbox, variables: variables) { SystemRandom.fill($0) }
        transport = Transport(poller: io.poller)
        changed = Condition(lock)
    }

    // MARK: Any thread

    func open(_ handle: OpaquePointer) {
        self.handle = handle
        io.post(.start(self))
    }

    func send(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Outbox.Admission {
        send { $0.enqueue(kind, payload) }
    }

    /// Sends a part of the message `id`; 0 begins a new one.
    func send(_ kind: MessageKind, part payload: UnsafeRawBufferPointer, of id: UInt64, isLast: Bool) -> Outbox.Admission {
        send { $0.enqueue(kind, part: payload, of: id, isLast: isLast) }
    }

    private func send(_ enqueue: (inout Outbox) -> Outbox.Admission) -> Outbox.Admission {
        turnstile.withLock {
            lock.withLock { () -> Outbox.Admission in
                let admission = enqueue(&outbox)
                if case .accepted = admission { flushAsSender() }
                return admission
            }
        }
    }

    /// Under the lock: writes what this thread has put into the outbox, and has the I/O thread look at what came of it.
    private func flushAsSender() {
        if !transport.waitsToWrite && !transport.flush(&outbox) { io.post(.broken(self, serial: serial)) }
        if outbox.hasHandedOver { askForAttention() }
    }

    /// Under the lock: has the I/O thread look at what other threads have done, once however much that is.
    private func askForAttention() {
        guard !awaitsAttention else { return }
        awaitsAttention = true
        io.post(.attend(self))
    }

    enum Response {
        case taken
        /// Too many answers wait already.
        case noRoom
        /// The request came by a connection that is over or closing.
        case tooLate
    }

    /// Sends the host's answer to a heartbeat request of the connection `epoch`.
    func respond(_ answer: OutgoingHeartbeat, epoch: UInt64) -> Response {
        turnstile.withLock {
            lock.withLock { () -> Response in
                guard isOpen(epoch) else { return .tooLate }
                if !outbox.heartbeat(answer) {
                    flushAsSender()
                    guard outbox.heartbeat(answer) else { return .noRoom }
                }
                flushAsSender()
                return .taken
            }
        }
    }

    /// False if the connection `epoch`, where the host has detected something, is over or closing.
    func detected(_ detection: Detection, epoch: UInt64) -> Bool {
        lock.withLock { () -> Bool in
            guard isOpen(epoch) else { return false }
            note(detection, epoch)
            return true
        }
    }

    /// Under the lock. Of more than can be told one by one the rest is left out: they come faster than any heartbeat.
    private func note(_ detection: Detection, _ epoch: UInt64) {
        guard detections.count < Self.detectionsMax else { return }
        detections.append((detection, epoch))
        askForAttention()
    }

    /// Under the lock.
    private func isOpen(_ epoch: UInt64) -> Bool {
        published.epoch == epoch && published.state == .connected && !outbox.isSealed
    }

    func close(_ frame: CloseFrame) {
        lock.withLock { outbox.seal() }
        io.post(.close(self, frame))
    }

    /// The handle is stale already. Waits for the last callback unless it is called from inside one, or none will come.
    func release() {
        let isInCallback = library.isLibraryThread
        lock.withLock {
            isReleased = true
            dropsDeliveries = isInCallback
            outbox.seal()
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
            snapshot.outbox = outbox.metrics
            snapshot.queuedMessages = outbox.queuedMessages
            snapshot.queuedBytes = outbox.queuedBytes
            return snapshot
        }
    }

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

    // MARK: The dispatcher's thread

    /// Runs callbacks for what the inbox holds; true if more is waiting.
    func runCallbacks(
        _ deliveries: UnsafeMutablePointer<hw_delivery>, _ messages: UnsafeMutablePointer<hw_message>, capacity: Int
    ) -> Bool {
        delivery.runCallbacks(for: self, deliveries, messages, capacity: capacity, dropsDeliveries: { isMuted }) {
            lastCallbackRan()
        }
    }

    private func lastCallbackRan() {
        lock.withLock {
            lastCallbackDone = true
            changed.wake()
        }
    }

    // MARK: The I/O thread: life

    func start() {
        guard slot == nil, !isTornDown else { return }
        slot = io.adopt(self)
        session.start(io.now)
        if plan.lacksCompression { session.emit(.warning(Zlib.missing), io.now) }
        settle()
    }

    func closeSession(_ frame: CloseFrame) {
        lock.withLock { session.close(frame, io.now, &outbox) }
        settle()
    }

    /// The handle was released: ends everything and delivers the last event.
    func tearDown() {
        guard !isTornDown else { return }
        isTornDown = true
        sayGoodbye()
        publish(nil)
        if let slot { io.dismiss(slot: slot) }
        slot = nil
        let last = Event(kind: .released, time: io.now, epoch: session.epoch, state: .disconnected)
        deliver(EventRecord(last), isLast: true)
    }

    /// The library does nothing more: whoever waits for this connection's state or deliveries is told. Descriptors that the host has closed
    /// under us may be its own by now, and are left alone.
    func stop(ownsDescriptors: Bool) {
        if ownsDescriptors { sayGoodbye() } else { withSession { $0.abandon(&$1) } }
        publish(nil)
        delivery.stop()
    }

    /// No callback runs or will run: whoever waits for the last one need not.
    func endRelease() {
        lastCallbackRan()
    }

    /// A close frame if the socket takes it, then the end of the transport, without events.
    private func sayGoodbye() {
        lock.withLock {
            session.abandon(&outbox)
            _ = transport.flush(&outbox)
        }
        closeTransport()
        _ = session.takeActions()
    }

    func timeout() {
        if let connector { advance(connector.timeout(io.now)) }
        lock.withLock { session.timeout(io.now, &outbox) }
        settle()
    }

    /// Carries out what the session has decided, tells the host, writes what there is to write, and sets the timer.
    func settle() {
        deliverOutputs()
        let isWritable = lock.withLock { () -> Bool in
            flush()
            return outbox.takeWritable()
        }
        // What the kernel has taken over is told at once; a host that makes more of it from its callbacks waits for the next turn.
        deliverOutputs()
        if session.hasOutput { io.readAgain(self) }
        if isWritable {
            // Delivered in the next turn: a host that fills the queue again from its callback must not keep this one going.
            session.emit(.writable, io.now)
            io.readAgain(self)
        }
        scheduleTimer()
    }

    private func deliverOutputs() {
        while session.hasOutput {
            for action in session.takeActions() {
                switch action {
                case .openTransport: openTransport()
                case .closeTransport: closeTransport()
                }
            }
            let isResumed = transport.stream?.isResumed ?? false
            let records = session.takeEvents().map { EventRecord($0, isResumed: isResumed) }
            publish(records.last { $0.error != nil }?.error)
            for record in records where !isTornDown {
                library.log.write(record, handle, plan.session.heartbeat)
                deliver(record, isLast: false)
            }
        }
    }

    /// Under the lock, on the I/O thread: writes, and tells the session what the kernel has taken over.
    func flush() {
        repeat {
            if !transport.flush(&outbox) { io.post(.broken(self, serial: serial)) }
        } while session.written(io.now, &outbox)
    }

    /// Threads of the host's have written or detected heartbeats.
    func attend() {
        lock.withLock {
            awaitsAttention = false
            for (detection, epoch) in detections { session.detected(detection, epoch: epoch, io.now, &outbox) }
            detections = []
            _ = session.written(io.now, &outbox)
        }
        settle()
    }

    private func scheduleTimer() {
        guard let slot else { return }
        let deadlines = [session.deadline, connector?.deadline].compactMap { $0 }
        if let deadline = deadlines.min() { io.schedule(slot: slot, at: deadline) }
    }

    /// Makes the state and the last error visible to other threads, before the host is told of them.
    private func publish(_ error: ErrorDetails?) {
        let (state, epoch) = (session.state, session.epoch)
        lock.withLock {
            published.hasStarted = true
            // Together: whoever has waited for the state may name the connection at once.
            (published.state, published.epoch) = (state, epoch)
            if let error { published.lastError = error }
            changed.wake()
        }
        publishMetrics()
        publishHeartbeats()
    }

    func publishMetrics() {
        let metrics = session.metrics
        let epoch = session.epoch
        lock.withLock {
            published.session = metrics
            published.epoch = epoch
        }
    }

    func publishHeartbeats() {
        let heartbeats = session.heartbeatSnapshot
        lock.withLock { published.heartbeats = heartbeats }
    }

    // MARK: Delivery

    @_optimize(speed)
    func deliver(_ batch: UnsafeBufferPointer<Message>) {
        guard !isMuted else { return }
        if plan.detectsInline { delivery.detect(batch, origin(), from: self) }
        let pushed = delivery.deliver(batch, origin(), from: self)
        if pushed.wasEmpty && delivery.usesDispatcher { library.dispatcher.schedule(self) }
        if pushed.dropped > 0 {
            lock.withLock { published.messagesDropped &+= pushed.dropped }
            let event = Event(kind: .messagesDropped(pushed.dropped), time: io.now, epoch: session.epoch, state: session.state)
            deliver(EventRecord(event), isLast: false)
        }
        if pushed.mustClose { lock.withLock { session.consumerTooSlow(io.now, &outbox) } }
        if pushed.mustPause && !isReadingPaused {
            pauseReading()
            session.emit(.readingPaused, io.now)
        }
    }

    private func deliver(_ record: EventRecord, isLast: Bool) {
        guard isLast || !isMuted else { return }
        let pushed = delivery.deliver(record, origin(), isLast: isLast) { lastCallbackRan() }
        if pushed.wasEmpty && delivery.usesDispatcher { library.dispatcher.schedule(self) }
    }

    /// True once the handle was released from inside a callback.
    private var isMuted: Bool { lock.withLock { dropsDeliveries } }

    private func origin() -> DeliveryOrigin {
        DeliveryOrigin(
            handle: handle, context: delivery.inboxContext, epoch: session.epoch, receivedNs: UInt64(bitPattern: io.now.nanoseconds))
    }

    // MARK: For the receiving path

    /// Only this thread attaches and closes streams, so it may look without the lock.
    var hasStream: Bool { transport.stream != nil }
    var hasPendingBytes: Bool { lock.withLock { transport.stream?.hasPending ?? false } }

    /// Reads from the stream, under the lock if TLS shares its state with writers.
    func readStream(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult? {
        guard let stream = transport.stream else { return nil }
        return stream.needsLockToRead ? lock.withLock { stream.read(into: buffer) } : stream.read(into: buffer)
    }

    func readAgainWhenWritable() {
        lock.withLock { transport.readAgainWhenWritable() }
    }

    /// What rules have answered leaves before the host hears of the messages.
    func flushAnswers() {
        lock.withLock { flush() }
    }

    /// Runs `body` with the session and the outbox, as the session's transport inputs want them.
    func withSession(_ body: (inout Session, inout Outbox) -> Void) {
        lock.withLock { body(&session, &outbox) }
    }
}
