import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// The I/O thread's part: what the session decides is carried out, published and timed.
extension Connection {
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
        listener?.forget(self)
        countDeparture()
        sayGoodbye()
        publish(nil)
        library.metrics.remove(self)
        if let slot { io.dismiss(slot: slot) }
        slot = nil
        let last = Event(kind: .released, time: io.now, epoch: session.epoch, state: .disconnected)
        if listener == nil || isHeardOf { deliver(EventRecord(last), isLast: true) }
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
    func sayGoodbye() {
        lock.withLock {
            session.abandon(io.now, &outboxes)
            for channel in [first, second] where channel.hasStream { _ = channel.transport.flush(outboxes[channel.place]) }
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
        endIfServed()
    }

    func deliverOutputs() {
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
            let records = session.takeEvents().map { EventRecord($0, role: plan.session.role, isResumed: isResumed($0.epoch)) }
            publish(records.last { $0.error != nil }?.error)
            for record in records where !isTornDown {
                let concernsHost = concernsHost(record)
                let subject: Log.Subject = listener == nil ? .host : concernsHost ? .client : .stranger
                library.log.write(record, subject, handle, plan.session.heartbeat)
                guard concernsHost else { continue }
                listener?.counts.observe(record.event)
                deliver(record, isLast: false)
            }
        }
    }

    /// Whether the connection `epoch` took up an earlier TLS session.
    func isResumed(_ epoch: UInt64) -> Bool {
        let place: LinkPlace = session.epoch(of: .second) == epoch ? .second : .first
        return channel(place).transport.stream?.isResumed ?? false
    }

    /// Under the lock, on the I/O thread: writes, and tells the session what the kernel has taken over. True if more is to be written now.
    func flush(_ channel: Channel) -> Bool {
        guard channel.hasStream else { return false }
        if !channel.transport.flush(outboxes[channel.place]) { io.post(.broken(self, serial: channel.serial)) }
        return session.written(channel.place, io.now, &outboxes)
    }

    /// Threads of the host's have written or detected heartbeats.
    func attend() {
        let decided = lock.withLock { decisions }
        for (attemptId, refusal) in decided { decide(attemptId, refusal) }
        lock.withLock {
            awaitsAttention = false
            for (detection, epoch) in detections { session.detected(detection, epoch: epoch, io.now, &outboxes) }
            detections = []
            for (attemptId, prepared) in answers {
                if let url = prepared.url { tls?.adopt(url) }
                _ = session.proceed(attemptId, prepared, io.now, &outboxes)
            }
            published.preparing = session.preparingAttempts
            // Not before: what has been answered is not to be answered again.
            decisions.removeFirst(decided.count)
            answers = []
            for channel in [first, second] { _ = session.written(channel.place, io.now, &outboxes) }
        }
        settle()
    }

    func scheduleTimer() {
        guard let slot else { return }
        let deadlines = [session.deadline, first.connector?.deadline, second.connector?.deadline].compactMap { $0 }
        if let deadline = deadlines.min() { io.schedule(slot: slot, at: deadline) }
    }

    /// Makes the state and the last error visible to other threads, before the host is told of them.
    func publish(_ error: ErrorDetails?) {
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
}
