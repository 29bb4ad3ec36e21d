import CSystem
import Heartbeat
import Session
import WebSocket

/// The transport of the present attempt or connection: opened, watched, paused and closed, on the I/O thread.
extension Connection {
    func openTransport(_ channel: Channel) {
        guard slot != nil, let deadline = session.attemptDeadline(of: channel.place) else { return }
        lastSerial &+= 1
        channel.serial = lastSerial
        let url = session.target(of: channel.place)
        let tls = url.isSecure ? tlsClient : nil
        guard !url.isSecure || tls != nil else {
            lock.withLock { session.transportEnded(channel.place, Self.noTLS, io.now, &outboxes) }
            return
        }
        let connector = Connector(
            url: url, tls: tls, proxy: plan.proxy.proxy(for: url), poller: io.poller, data: pollerData(channel), memory: addressMemory,
            attemptDeadline: deadline)
        channel.connector = connector
        let (host, port) = connector.endpoint
        if let resolution = Resolver.numeric(host, port: port) {
            advance(channel, connector.resolved(resolution, io.now))
        } else {
            let attempt = channel.serial
            channel.lookup = library.resolver.resolve(host, port: port) { [self] in io.post(.resolved(self, serial: attempt, $0)) }
        }
    }

    /// What the poller reports the present attempt's sockets by.
    func pollerData(_ channel: Channel) -> UInt64 { UInt64(slot ?? 0) << 32 | UInt64(channel.serial) }

    private static let noTLS = TransportFailure(
        kind: .certificate, nativeCode: 0, sentence: "the new URL is wss, and the connection was not opened with what TLS needs")

    func resolved(_ resolution: Resolution, serial: UInt32) {
        guard let channel = channel(serial: serial), let connector = channel.connector else { return }
        advance(channel, connector.resolved(resolution, io.now))
        settle()
    }

    func advance(_ channel: Channel, _ progress: Connector.Progress) {
        switch progress {
        case .pending:
            return
        case .established(let stream):
            channel.connector = nil
            // What came with the last of the handshake does not make the socket readable again.
            if stream.hasPending { io.readAgain(self) }
            lock.withLock {
                channel.transport.attach(stream, data: pollerData(channel))
                if let warning = tls?.warning(for: session.target(of: channel.place)) { session.emit(.warning(warning), io.now) }
                if let nonce = HandshakeNonce.random() {
                    session.transportOpened(channel.place, nonce, unixTime: hws_unix_time(), &outboxes)
                } else {
                    session.transportEnded(channel.place, HandshakeNonce.failure, io.now, &outboxes)
                }
            }
        case .failed(let failure):
            channel.connector = nil
            lock.withLock { session.transportEnded(channel.place, failure, io.now, &outboxes) }
        }
    }

    func closeTransport(_ channel: Channel) {
        if let lookup = channel.lookup { library.resolver.cancel(lookup) }
        channel.lookup = nil
        channel.connector?.cancel()
        channel.connector = nil
        lock.withLock {
            channel.transport.close()
            outboxes.existing(channel.place)?.connectionEnded()
        }
        channel.isReadingPaused = false
    }

    func socketReady(_ ready: Poller.Ready, serial: UInt32) {
        guard let channel = channel(serial: serial) else { return }
        if let connector = channel.connector {
            advance(channel, connector.ready(io.now))
        } else if channel.isReadingPaused {
            // What a broken stream had received before is still to be read, once the host has made room.
            if ready.isBroken { lock.withLock { channel.transport.leavePoller() } }
        } else if ready.isReadable || lock.withLock({ channel.transport.takeReadWaitsForWrite() }) {
            _ = receive(channel)
        }
        settle()
    }

    /// A write failed: what the peer had sent before is still read and delivered, then the stream is given up.
    func writeFailed(serial: UInt32) {
        guard let channel = channel(serial: serial), channel.hasStream, !channel.isReadingPaused else { return }
        if receive(channel) {
            withSession { session, outboxes in
                if let failure = channel.transport.writeFailure { session.transportEnded(channel.place, failure, io.now, &outboxes) }
            }
        } else {
            io.post(.broken(self, serial: serial))
        }
        settle()
    }

    // MARK: Pausing

    /// Somebody must take messages before more is read.
    var isReadingPaused: Bool { channel(.first).isReadingPaused || channel(.second).isReadingPaused }

    func pauseReading(_ channel: Channel) {
        guard !channel.isReadingPaused else { return }
        channel.isReadingPaused = true
        session.readingPaused(channel.place, io.now)
        lock.withLock { channel.transport.pauseReading() }
    }

    func resumeReading() {
        for place in [LinkPlace.first, .second] { resumeReading(channel(place)) }
        settle()
    }

    private func resumeReading(_ channel: Channel) {
        guard channel.isReadingPaused, channel.hasStream else { return }
        channel.isReadingPaused = false
        session.readingResumed(channel.place, io.now)
        let isBroken = lock.withLock { () -> Bool in
            channel.transport.resumeReading()
            return channel.transport.writeFailure != nil
        }
        if isBroken { io.post(.broken(self, serial: channel.serial)) }
        // What TLS or an earlier read left over does not make the socket readable again.
        io.readAgain(self)
    }
}
