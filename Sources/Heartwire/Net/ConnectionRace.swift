import CSystem
import Heartbeat
import Session
import WebSocket

/// Connects to a host by several of its addresses at once, as `HappyEyeballs` says when: the first connection that is established wins,
/// the others are closed. Lives on the I/O thread; never waits.
///
/// All its sockets are in the poller under the same data, so an event says only that one of them is ready: each is asked then.
final class ConnectionRace {
    enum Progress {
        case pending
        /// The socket stays in the poller.
        case won(fd: Int32, SocketAddress)
        case lost
    }

    private struct Racer {
        let fd: Int32
        let address: SocketAddress
    }

    private struct Loser {
        let address: SocketAddress
        let code: Int32
    }

    private let addresses: [SocketAddress]
    private let poller: Poller
    private let data: UInt64
    private var schedule: HappyEyeballs
    private var racers: [Racer] = []
    private var losers: [Loser] = []

    init(_ addresses: [SocketAddress], preferred: SocketAddress?, poller: Poller, data: UInt64, _ now: Instant, deadline: Instant) {
        self.addresses = addresses
        self.poller = poller
        self.data = data
        let preferred = preferred.flatMap { address in addresses.firstIndex { $0.equals(address) } }
        schedule = HappyEyeballs(families: addresses.map { $0.family }, preferred: preferred, now, deadline: deadline)
    }

    /// When `advance` must be called next, if no socket is ready before.
    var deadline: Instant? { schedule.nextStart }

    /// Looks at the sockets and begins what is due.
    func advance(_ now: Instant) -> Progress {
        let running = racers
        racers = []
        for (index, racer) in running.enumerated() {
            let code = hws_connect_result(racer.fd)
            switch code {
            case 0:
                (racers + running[(index + 1)...]).forEach(discard)
                racers = []
                return .won(fd: racer.fd, racer.address)
            case EINPROGRESS:
                racers.append(racer)
            default:
                discard(racer)
                failed(racer.address, code, now)
            }
        }
        while let next = schedule.start(now) {
            if let fd = begin(addresses[next], now) {
                cancel()
                return .won(fd: fd, addresses[next])
            }
        }
        return racers.isEmpty && schedule.nextStart == nil ? .lost : .pending
    }

    /// Closes every socket.
    func cancel() {
        racers.forEach(discard)
        racers = []
    }

    /// Why the race was lost. `host` is how the text names what could not be reached.
    func failure(_ host: String) -> TransportFailure {
        guard let last = losers.last else {
            return TransportFailure(kind: .connect, nativeCode: 0, sentence: "\(host) has no address to connect to")
        }
        let isSystem = [EMFILE, ENFILE, ENOMEM, ENOBUFS].contains(last.code)
        return TransportFailure(
            kind: isSystem ? .system : .connect, nativeCode: last.code, sentence: "connecting to \(host) failed: \(account)")
    }

    /// What became of each address that was tried. Few enough are named for a `hw_error`, which has room for 255 bytes.
    var account: String {
        let parts =
            losers.map { "\($0.address.text) (\(systemErrorText($0.code)))" } + racers.map { "\($0.address.text) (no answer)" }
        guard var text = parts.first else { return "no address" }
        for index in 1..<parts.count {
            guard text.utf8.count + parts[index].utf8.count < 160 else { return "\(text), and \(parts.count - index) more" }
            text = "\(text), \(parts[index])"
        }
        return text
    }

    /// Begins to connect; gives the socket if that succeeds at once.
    private func begin(_ address: SocketAddress, _ now: Instant) -> Int32? {
        let fd = hws_socket(address.family)
        guard fd >= 0, poller.add(fd, .writable, data: data) else {
            let code = hws_errno()
            if fd >= 0 { close(fd) }
            failed(address, code, now)
            return nil
        }
        let racer = Racer(fd: fd, address: address)
        let code = withUnsafePointer(to: address.storage) { hws_connect(fd, $0, address.size) } == 0 ? 0 : hws_errno()
        switch code {
        case 0:
            return fd
        case EINPROGRESS:
            racers.append(racer)
        default:
            discard(racer)
            failed(address, code, now)
        }
        return nil
    }

    private func failed(_ address: SocketAddress, _ code: Int32, _ now: Instant) {
        losers.append(Loser(address: address, code: code))
        schedule.failed(now)
    }

    private func discard(_ racer: Racer) {
        poller.remove(racer.fd)
        close(racer.fd)
    }
}

/// The address that a connection was last established over; it goes first the next time. One that connects and then does not lead to an
/// open WebSocket connection is forgotten.
final class AddressMemory {
    private(set) var good: SocketAddress?
    private var latest: SocketAddress?

    func connected(to address: SocketAddress) {
        latest = address
        good = nil
    }

    func opened() {
        good = latest
    }
}
