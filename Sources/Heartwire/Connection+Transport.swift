import CSystem
import Heartbeat
import Session
import WebSocket

/// The transport of the present attempt or connection: opened, watched, paused and closed, on the I/O thread.
extension Connection {
    func openTransport() {
        guard slot != nil, let deadline = session.deadline else { return }
        serial &+= 1
        let url = session.target
        let tls = url.isSecure ? plan.tls : nil
        let connector = Connector(
            url: url, tls: tls, proxy: plan.proxy.proxy(for: url), poller: io.poller, data: pollerData, memory: addressMemory,
            attemptDeadline: deadline)
        self.connector = connector
        let (host, port) = connector.endpoint
        if let resolution = Resolver.numeric(host, port: port) {
            advance(connector.resolved(resolution, io.now))
        } else {
            let attempt = serial
            lookup = library.resolver.resolve(host, port: port) { [self] in io.post(.resolved(self, serial: attempt, $0)) }
        }
    }

    /// What the poller reports the present attempt's sockets by.
    private var pollerData: UInt64 { UInt64(slot ?? 0) << 32 | UInt64(serial) }

    func resolved(_ resolution: Resolution, serial: UInt32) {
        guard serial == self.serial, let connector else { return }
        advance(connector.resolved(resolution, io.now))
        settle()
    }

    func advance(_ progress: Connector.Progress) {
        switch progress {
        case .pending:
            return
        case .established(let stream):
            connector = nil
            // What came with the last of the handshake does not make the socket readable again.
            if stream.hasPending { io.readAgain(self) }
            lock.withLock {
                transport.attach(stream, data: pollerData)
                if let warning = plan.tls?.warning(for: session.target) { session.emit(.warning(warning), io.now) }
                if let nonce = HandshakeNonce.random() {
                    session.transportOpened(nonce, unixTime: hws_unix_time(), &outbox)
                } else {
                    session.transportEnded(HandshakeNonce.failure, io.now, &outbox)
                }
            }
        case .failed(let failure):
            connector = nil
            lock.withLock { session.transportEnded(failure, io.now, &outbox) }
        }
    }

    func closeTransport() {
        if let lookup { library.resolver.cancel(lookup) }
        lookup = nil
        connector?.cancel()
        connector = nil
        lock.withLock {
            transport.close()
            outbox.connectionEnded()
        }
        isReadingPaused = false
    }

    func socketReady(_ ready: Poller.Ready, serial: UInt32) {
        guard serial == self.serial else { return }
        if let connector {
            advance(connector.ready(io.now))
        } else if isReadingPaused {
            // What a broken stream had received before is still to be read, once the host has made room.
            if ready.isBroken { lock.withLock { transport.leavePoller() } }
        } else if ready.isReadable || lock.withLock({ transport.takeReadWaitsForWrite() }) {
            _ = receive()
        }
        settle()
    }

    /// A write failed: what the peer had sent before is still read and delivered, then the stream is given up.
    func writeFailed(serial: UInt32) {
        guard serial == self.serial, hasStream, !isReadingPaused else { return }
        if receive() {
            withSession { session, outbox in
                if let failure = transport.writeFailure { session.transportEnded(failure, io.now, &outbox) }
            }
        } else {
            io.post(.broken(self, serial: serial))
        }
        settle()
    }

    // MARK: Pausing

    func pauseReading() {
        guard !isReadingPaused else { return }
        isReadingPaused = true
        session.readingPaused(io.now)
        lock.withLock { transport.pauseReading() }
    }

    func resumeReading() {
        guard isReadingPaused, hasStream else { return }
        isReadingPaused = false
        session.readingResumed(io.now)
        let isBroken = lock.withLock { () -> Bool in
            transport.resumeReading()
            return transport.writeFailure != nil
        }
        if isBroken { io.post(.broken(self, serial: serial)) }
        // What TLS or an earlier read left over does not make the socket readable again.
        io.readAgain(self)
        settle()
    }
}
