import CSystem
import Heartbeat
import Session
import WebSocket

/// One attempt to open a transport: resolve, race the addresses, have a proxy open a tunnel, run TLS. Lives on the I/O thread; never waits.
final class Connector {
    enum Progress {
        case pending
        case established(Stream)
        case failed(TransportFailure)
    }

    private enum State {
        case resolving
        case racing(ConnectionRace)
        case tunneling(ProxyTunnel)
        case securing(fd: Int32, TLSSession)
        case done
    }

    private let url: URL
    private let tls: TLSClient?
    private let proxy: Proxy?
    private let poller: Poller
    /// Identifies the attempt's sockets in the poller's events.
    private let data: UInt64
    private let memory: AddressMemory
    /// When the whole attempt is given up.
    private let attemptDeadline: Instant

    private var state = State.resolving

    init(url: URL, tls: TLSClient?, proxy: Proxy?, poller: Poller, data: UInt64, memory: AddressMemory, attemptDeadline: Instant) {
        self.url = url
        self.tls = tls
        self.proxy = proxy
        self.poller = poller
        self.data = data
        self.memory = memory
        self.attemptDeadline = attemptDeadline
    }

    /// What is to be resolved: the proxy, if there is one.
    var endpoint: (host: [UInt8], port: UInt16) {
        if let proxy { (proxy.host, proxy.port) } else { (url.host, url.port) }
    }

    /// When `timeout` must be called next, if nothing happens before.
    var deadline: Instant {
        if case .racing(let race) = state, let next = race.deadline { min(next, attemptDeadline) } else { attemptDeadline }
    }

    /// Takes the resolver's answer.
    func resolved(_ resolution: Resolution, _ now: Instant) -> Progress {
        guard case .resolving = state else { return .pending }
        switch resolution {
        case .failed(let failure):
            return fail(blame(failure))
        case .addresses(let addresses):
            let race = ConnectionRace(addresses, preferred: memory.good, poller: poller, data: data, now, deadline: attemptDeadline)
            state = .racing(race)
            return advance(race, now)
        }
    }

    /// A socket is ready for something.
    func ready(_ now: Instant) -> Progress {
        switch state {
        case .resolving, .done: .pending
        case .racing(let race): advance(race, now)
        case .tunneling(let tunnel): advance(tunnel)
        case .securing(let fd, let session): handshake(fd, session)
        }
    }

    func timeout(_ now: Instant) -> Progress {
        guard now < attemptDeadline else {
            let sentence = "connect.timeout ran out \(whatLasted)"
            cancel()
            return fail(TransportFailure(kind: .timeout, nativeCode: 0, sentence: sentence))
        }
        if case .racing(let race) = state { return advance(race, now) }
        return .pending
    }

    /// Gives up whatever is under way.
    func cancel() {
        switch state {
        case .resolving, .done: break
        case .racing(let race): race.cancel()
        case .tunneling(let tunnel): discard(tunnel.fd)
        case .securing(let fd, _): discard(fd)
        }
        state = .done
    }

    private var server: String { "'\(String(utf8: url.host))'" }

    /// The server or its proxy, for messages. A proxy's user name and password stand in none.
    private var peer: String { (proxy == nil ? "" : "the proxy ") + "'\(String(utf8: endpoint.host))'" }

    private var whatLasted: String {
        switch state {
        case .resolving: "while the name of \(peer) was being resolved"
        case .racing(let race): "while connecting to \(peer): \(race.account)"
        case .tunneling: "while \(peer) was connecting to \(server)"
        case .securing: "in the TLS handshake with \(server)"
        case .done: "before the connection was established"
        }
    }

    private func advance(_ race: ConnectionRace, _ now: Instant) -> Progress {
        switch race.advance(now) {
        case .pending:
            return .pending
        case .lost:
            return fail(blame(race.failure(peer)))
        case .won(let fd, let address):
            memory.connected(to: address)
            guard let proxy else { return secure(fd) }
            let tunnel = ProxyTunnel(fd: fd, proxy.handshake(to: url))
            state = .tunneling(tunnel)
            return advance(tunnel)
        }
    }

    private func advance(_ tunnel: ProxyTunnel) -> Progress {
        switch tunnel.advance() {
        case .wantsRead:
            poller.modify(tunnel.fd, .readable, data: data)
            return .pending
        case .wantsWrite:
            poller.modify(tunnel.fd, .writable, data: data)
            return .pending
        case .open:
            return secure(tunnel.fd)
        case .failed(let error):
            discard(tunnel.fd)
            return fail(failure(error))
        }
    }

    /// Says of a failure to reach the peer that it was the proxy, where there is one.
    private func blame(_ failure: TransportFailure) -> TransportFailure {
        guard proxy != nil else { return failure }
        let kind: TransportFailure.Kind =
            switch failure.kind {
            case .resolve: .proxy(.unresolved)
            case .connect: .proxy(.unreachable)
            case .timeout, .lost, .tls, .tlsVersion, .certificate, .clientCertificate, .proxy, .system: failure.kind
            }
        return TransportFailure(kind: kind, nativeCode: failure.nativeCode, sentence: failure.sentence)
    }

    private func failure(_ error: ProxyError) -> TransportFailure {
        TransportFailure(
            kind: .proxy(.refusal(httpStatus: error.httpStatus, isRetryable: error.isRetryable)), nativeCode: error.nativeCode,
            sentence: "\(peer) \(error.phrase)")
    }

    private func secure(_ fd: Int32) -> Progress {
        guard let tls else { return establish(fd, nil) }
        guard let session = TLSSession(tls.context, fd: fd, peer: TLSServerPeer(tls, at: url)) else {
            discard(fd)
            return fail(TransportFailure(kind: .tls, nativeCode: 0, sentence: "OpenSSL could not set up a TLS connection"))
        }
        state = .securing(fd: fd, session)
        return handshake(fd, session)
    }

    private func handshake(_ fd: Int32, _ session: TLSSession) -> Progress {
        switch session.handshake() {
        case .done:
            return establish(fd, session)
        case .wantsRead:
            poller.modify(fd, .readable, data: data)
            return .pending
        case .wantsWrite:
            poller.modify(fd, .writable, data: data)
            return .pending
        case .failed(let failure):
            discard(fd)
            return fail(failure)
        }
    }

    private func establish(_ fd: Int32, _ session: TLSSession?) -> Progress {
        state = .done
        return .established(Stream(fd: fd, role: .client, tls: session))
    }

    private func fail(_ failure: TransportFailure) -> Progress {
        state = .done
        return .failed(failure)
    }

    private func discard(_ fd: Int32) {
        poller.remove(fd)
        close(fd)
    }
}
