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
    /// Set once, under the lock, before the I/O thread hears of the connection.
    private var handle: OpaquePointer?

    // The I/O thread's own.
    var session: Session
    var slot: Int?
    let addressMemory = AddressMemory()
    /// Counts the attempts of both channels.
    var lastSerial: UInt32 = 0
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
    var outboxes: Outboxes
    private let first: Channel
    private let second: Channel
    private var published = ConnectionSnapshot()
    /// Made with the plan, or when the application names the first wss URL.
    var tls: TLSClient?
    /// Answers to what was asked before attempts, for the I/O thread to take.
    private var answers: [(attemptId: UInt64, prepared: PreparedAttempt)] = []
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
        tls = plan.tls
        let variables = (HeartbeatVariables(plan.session.heartbeat), HeartbeatVariables(plan.session.heartbeat))
        session = Session(
            plan.session, seed: SystemRandom.seed(), environment: library.environment, gates: library.hostGates,
            variables: variables)
        outboxes = Outboxes(
            first: Outbox(role: .client, limits: plan.outbox, variables: variables.0) { SystemRandom.fill($0) },
            second: Outbox(role: .client, limits: plan.outbox, variables: variables.1, hasQueue: false) { SystemRandom.fill($0) },
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
        io.post(.start(self))
    }

    func send(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ options: SendOptions) -> Outbox.Admission {
        send { $0.enqueue(kind, payload, options) }
    }

    /// Sends a part of the message `id`; 0 begins a new one.
    func send(
        _ kind: MessageKind, part payload: UnsafeRawBufferPointer, of id: UInt64, isLast: Bool, _ options: SendOptions
    ) -> Outbox.Admission {
        send { $0.enqueue(kind, part: payload, of: id, isLast: isLast, options) }
    }

    private func send(_ enqueue: (Outbox) -> Outbox.Admission) -> Outbox.Admission {
        turnstile.withLock {
            lock.withLock { () -> Outbox.Admission in
                let admission = enqueue(outboxes[outboxes.active])
                if case .accepted = admission { flushAsSender(outboxes.active) }
                // What was refused, or what this thread has written, can be all that the host waits for.
                if outboxes[outboxes.active].isWritableDue { askForAttention() }
                return admission
            }
        }
    }

    /// Under the lock: writes what this thread has put into the outbox, and has the I/O thread look at what came of it.
    private func flushAsSender(_ place: LinkPlace) {
        let channel = channel(place)
        if !channel.transport.waitsToWrite && !channel.transport.flush(outboxes[place]) {
            io.post(.broken(self, serial: channel.serial))
        }
        let outbox = outboxes[place]
        if outbox.hasHandedOver || outbox.hasReports || outbox.nextExpiry != nil || outbox.isQueueReleased { askForAttention() }
    }

    func outcome(of id: UInt64) -> Outcome? {
        lock.withLock { outboxes[outboxes.active].outcome(of: id) }
    }

    /// Keeps a message that every new connection is sent; nil takes the one under this key away.
    func keep(_ key: UnsafeRawBufferPointer, _ message: (kind: MessageKind, payload: UnsafeRawBufferPointer)?) -> Outbox.Admission {
        turnstile.withLock {
            lock.withLock { () -> Outbox.Admission in
                guard let message else { return outboxes.unkeep(key) }
                let admission = outboxes.keep(key, message.kind, message.payload)
                if case .accepted = admission {
                    flushAsSender(.first)
                    flushAsSender(.second)
                }
                if outboxes[outboxes.active].isWritableDue { askForAttention() }
                return admission
            }
        }
    }

    /// False if the connection has ended or is closing.
    func rotate() -> Bool {
        guard !lock.withLock({ isSealed }) else { return false }
        io.post(.rotate(self))
        return true
    }

    /// Takes back a message.
    func cancel(_ id: UInt64) -> MessageQueue.Cancellation {
        lock.withLock { () -> MessageQueue.Cancellation in
            defer { if outboxes[outboxes.active].hasReports { askForAttention() } }
            return outboxes[outboxes.active].cancel(id)
        }
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
                guard let place = outboxes.place(ofEpoch: epoch), !isSealed else { return .tooLate }
                if !outboxes[place].heartbeat(answer) {
                    flushAsSender(place)
                    guard outboxes[place].heartbeat(answer) else { return .noRoom }
                }
                flushAsSender(place)
                return .taken
            }
        }
    }

    /// False if the connection `epoch`, where the host has detected something, is over or closing.
    @inline(never)
    func detected(_ detection: Detection, epoch: UInt64) -> Bool {
        lock.withLock { () -> Bool in
            guard outboxes.place(ofEpoch: epoch) != nil, !isSealed else { return false }
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

    /// Under the lock: the application has closed the connection, or it has ended.
    private var isSealed: Bool { outboxes[outboxes.active].isSealed }

    /// False if the attempt is over, or was answered.
    func awaitsAnswer(_ attemptId: UInt64) -> Bool {
        lock.withLock { isAwaited(attemptId) }
    }

    /// Under the lock.
    private func isAwaited(_ attemptId: UInt64) -> Bool {
        attemptId > 0 && (published.preparing.0 == attemptId || published.preparing.1 == attemptId)
            && !answers.contains { $0.attemptId == attemptId }
    }

    /// Has what a wss URL needs, also if the connection was not opened with one.
    func prepareTLS() throws(ErrorDetails) {
        if tlsClient != nil { return }
        let client = try TLSClient(plan.settings, url: plan.session.url, contexts: plan.tlsContexts)
        lock.withLock { if tls == nil { tls = client } }
    }

    var tlsClient: TLSClient? { lock.withLock { tls } }

    /// The attempt goes on; false if it is over, or was answered.
    func proceed(_ attemptId: UInt64, _ prepared: PreparedAttempt) -> Bool {
        lock.withLock { () -> Bool in
            guard isAwaited(attemptId) else { return false }
            answers.append((attemptId, prepared))
            askForAttention()
            return true
        }
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
            snapshot.outbox = outboxes.metrics
            snapshot.outcomes = outboxes[outboxes.active].outcomeCounts
            snapshot.queuedMessages = outboxes[outboxes.active].queuedMessages
            snapshot.keptMessages = outboxes.kept.count
            snapshot.queuedBytes = outboxes[outboxes.active].queuedBytes
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
        if plan.session.watchesNetwork { io.watchNetwork() }
        session.start(io.now)
        if plan.lacksCompression { session.emit(.warning(Zlib.missing), io.now) }
        settle()
    }

    func closeSession(_ frame: CloseFrame) {
        lock.withLock { session.close(frame, io.now, &outboxes) }
        settle()
    }

    func cutOffSession() {
        lock.withLock { session.cutOff(io.now, &outboxes) }
        settle()
    }

    func rotateSession() {
        session.rotate(io.now)
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
        if ownsDescriptors { sayGoodbye() } else { withSession { $0.abandon(io.now, &$1) } }
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
            session.abandon(io.now, &outboxes)
            _ = first.transport.flush(outboxes.first)
            _ = second.transport.flush(outboxes.second)
        }
        closeTransport(first)
        closeTransport(second)
        _ = session.takeActions()
    }

    func timeout() {
        for channel in [first, second] {
            if let connector = channel.connector { advance(channel, connector.timeout(io.now)) }
        }
        lock.withLock { session.timeout(io.now, &outboxes) }
        settle()
    }

    /// The machine was suspended, or its network changed.
    func probe() {
        withSession { $0.probe(io.now, &$1) }
        settle()
    }

    /// Carries out what the session has decided, tells the host, writes what there is to write, and sets the timer.
    func settle() {
        deliverOutputs()
        lock.withLock {
            while flush(first) || flush(second) {}
        }
        // What the kernel has taken over is told at once; a host that makes more of it from its callbacks waits for the next turn.
        deliverOutputs()
        lock.withLock { session.review(io.now, &outboxes) }
        if session.hasOutput { io.readAgain(self) }
        scheduleTimer()
    }

    private func deliverOutputs() {
        while session.hasOutput {
            for action in session.takeActions() {
                switch action {
                case .openTransport(let place): openTransport(channel(place))
                case .closeTransport(let place):
                    // A close frame still goes, if the socket takes it.
                    lock.withLock { _ = channel(place).transport.flush(outboxes[place]) }
                    closeTransport(channel(place))
                }
            }
            let records = session.takeEvents().map { EventRecord($0, isResumed: isResumed($0.epoch)) }
            publish(records.last { $0.error != nil }?.error)
            for record in records where !isTornDown {
                library.log.write(record, handle, plan.session.heartbeat)
                deliver(record, isLast: false)
            }
        }
    }

    /// Whether the connection `epoch` took up an earlier TLS session.
    private func isResumed(_ epoch: UInt64) -> Bool {
        let place: LinkPlace = session.epoch(of: .second) == epoch ? .second : .first
        return channel(place).transport.stream?.isResumed ?? false
    }

    /// Under the lock, on the I/O thread: writes, and tells the session what the kernel has taken over. True if more is to be written now.
    private func flush(_ channel: Channel) -> Bool {
        guard channel.hasStream else { return false }
        if !channel.transport.flush(outboxes[channel.place]) { io.post(.broken(self, serial: channel.serial)) }
        return session.written(channel.place, io.now, &outboxes)
    }

    /// Threads of the host's have written or detected heartbeats.
    func attend() {
        lock.withLock {
            awaitsAttention = false
            for (detection, epoch) in detections { session.detected(detection, epoch: epoch, io.now, &outboxes) }
            detections = []
            for (attemptId, prepared) in answers {
                if let url = prepared.url { tls?.adopt(url) }
                _ = session.proceed(attemptId, prepared, io.now, &outboxes)
            }
            published.preparing = session.preparingAttempts
            answers = []
            for channel in [first, second] { _ = session.written(channel.place, io.now, &outboxes) }
        }
        settle()
    }

    private func scheduleTimer() {
        guard let slot else { return }
        let deadlines = [session.deadline, first.connector?.deadline, second.connector?.deadline].compactMap { $0 }
        if let deadline = deadlines.min() { io.schedule(slot: slot, at: deadline) }
    }

    /// Makes the state and the last error visible to other threads, before the host is told of them.
    private func publish(_ error: ErrorDetails?) {
        let (state, epoch, metrics) = (session.state, session.epoch, session.metrics)
        let preparing = session.preparingAttempts
        lock.withLock {
            published.hasStarted = true
            // Together: whoever has waited for the state may name the connection at once, or look at what became of it.
            (published.state, published.epoch, published.session) = (state, epoch, metrics)
            published.preparing = preparing
            if let error { published.lastError = error }
            changed.wake()
        }
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
    func deliver(_ batch: UnsafeBufferPointer<Message>, by channel: Channel) {
        guard !isMuted else { return }
        let origin = origin(session.epoch(of: channel.place))
        if plan.detectsInline { delivery.detect(batch, origin, from: self) }
        let pushed = delivery.deliver(batch, origin, from: self)
        if pushed.wasEmpty && delivery.usesDispatcher { library.dispatcher.schedule(self) }
        if pushed.dropped > 0 {
            lock.withLock { published.messagesDropped &+= pushed.dropped }
            let event = Event(kind: .messagesDropped(pushed.dropped), time: io.now, epoch: session.epoch, state: session.state)
            deliver(EventRecord(event), isLast: false)
        }
        if pushed.mustClose { lock.withLock { session.consumerTooSlow(channel.place, io.now, &outboxes) } }
        if pushed.mustPause && !channel.isReadingPaused {
            pauseReading(channel)
            session.emit(.readingPaused, io.now)
        }
    }

    private func deliver(_ record: EventRecord, isLast: Bool) {
        guard isLast || !isMuted else { return }
        let pushed = delivery.deliver(record, origin(session.epoch), isLast: isLast) { lastCallbackRan() }
        if pushed.wasEmpty && delivery.usesDispatcher { library.dispatcher.schedule(self) }
    }

    /// True once the handle was released from inside a callback.
    private var isMuted: Bool { lock.withLock { dropsDeliveries } }

    private func origin(_ epoch: UInt64) -> DeliveryOrigin {
        DeliveryOrigin(
            handle: handle, context: delivery.inboxContext, epoch: epoch, receivedNs: UInt64(bitPattern: io.now.nanoseconds))
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
