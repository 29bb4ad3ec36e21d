import CSystem
import Heartbeat
import Session
import WebSocket

/// One attempt to open a transport: resolve, connect to one address after the other, run TLS. Lives on the I/O thread; never waits.
final class Connector {
    enum Progress {
        case pending
        case established(Stream)
        case failed(TransportFailure)
    }

    private enum State {
        case resolving
        case connecting(fd: Int32)
        case securing(fd: Int32, TLSSession)
        case done
    }

    private let url: URL
    private let tls: TLSClient?
    private let poller: Poller
    /// Identifies the attempt's socket in the poller's events.
    private let data: UInt64
    /// When the whole attempt is given up; that is the session's business, here it is shared out among the addresses.
    private let attemptDeadline: Instant

    private var state = State.resolving
    private var addresses: [SocketAddress] = []
    private var nextAddress = 0
    private var lastFailure: TransportFailure?
    /// When the present address is given up for the next one; nil for the last.
    private(set) var addressDeadline: Instant?

    init(url: URL, tls: TLSClient?, poller: Poller, data: UInt64, attemptDeadline: Instant) {
        self.url = url
        self.tls = tls
        self.poller = poller
        self.data = data
        self.attemptDeadline = attemptDeadline
    }

    /// Takes the resolver's answer.
    func resolved(_ resolution: Resolution, _ now: Instant) -> Progress {
        guard case .resolving = state else { return .pending }
        switch resolution {
        case .failed(let failure):
            state = .done
            return .failed(failure)
        case .addresses(let addresses):
            self.addresses = addresses
            return connectNext(now)
        }
    }

    /// The socket is ready for something.
    func ready(_ now: Instant) -> Progress {
        switch state {
        case .resolving, .done:
            return .pending
        case .connecting(let fd):
            let code = hws_socket_error(fd)
            guard code == 0 else { return addressFailed(fd, code, now) }
            return secure(fd, now)
        case .securing(let fd, let session):
            return handshake(fd, session)
        }
    }

    /// Moves on from an address that does not answer.
    func timeout(_ now: Instant) -> Progress {
        guard let addressDeadline, now >= addressDeadline, case .connecting(let fd) = state else { return .pending }
        return addressFailed(fd, ETIMEDOUT, now)
    }

    /// Gives up whatever is under way.
    func cancel() {
        switch state {
        case .resolving, .done: break
        case .connecting(let fd), .securing(let fd, _): discard(fd)
        }
        state = .done
    }

    private func connectNext(_ now: Instant) -> Progress {
        while nextAddress < addresses.count {
            let address = addresses[nextAddress]
            nextAddress += 1
            let fd = hws_socket(address.family)
            guard fd >= 0, poller.add(fd, [.readable, .writable], data: data) else {
                let code = hws_errno()
                if fd >= 0 { close(fd) }
                lastFailure = failure(address, code)
                continue
            }
            let result = withUnsafePointer(to: address.storage) { hws_connect(fd, $0, address.size) }
            if result == 0 { return secure(fd, now) }
            let code = hws_errno()
            guard code == EINPROGRESS else {
                discard(fd)
                lastFailure = failure(address, code)
                continue
            }
            state = .connecting(fd: fd)
            shareOutTime(now)
            return .pending
        }
        state = .done
        return .failed(lastFailure ?? TransportFailure(kind: .connect, nativeCode: 0, sentence: "the host has no address to connect to"))
    }

    /// Each address gets an even share of the time that is left, so that a dead one cannot use up all of it.
    private func shareOutTime(_ now: Instant) {
        let others = addresses.count - nextAddress
        let share = (attemptDeadline - now).nanoseconds / Int64(others + 1)
        addressDeadline = others == 0 ? nil : now + Interval(nanoseconds: share)
    }

    private func addressFailed(_ fd: Int32, _ code: Int32, _ now: Instant) -> Progress {
        discard(fd)
        lastFailure = failure(addresses[nextAddress - 1], code)
        return connectNext(now)
    }

    private func failure(_ address: SocketAddress, _ code: Int32) -> TransportFailure {
        let isSystem = [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(code)
        return TransportFailure(
            kind: isSystem ? .system : .connect, nativeCode: code,
            sentence: "connecting to \(address.text) failed: \(systemErrorText(code))")
    }

    private func secure(_ fd: Int32, _ now: Instant) -> Progress {
        addressDeadline = nil
        guard let tls else { return establish(fd, nil) }
        guard let session = TLSSession(client: tls, fd: fd, url: url) else {
            discard(fd)
            state = .done
            return .failed(TransportFailure(kind: .tls, nativeCode: 0, sentence: "OpenSSL could not set up a TLS connection"))
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
            state = .done
            return .failed(failure)
        }
    }

    private func establish(_ fd: Int32, _ session: TLSSession?) -> Progress {
        state = .done
        return .established(Stream(fd: fd, tls: session))
    }

    private func discard(_ fd: Int32) {
        poller.remove(fd)
        close(fd)
    }
}
