import CSystem
import Heartbeat
import Session
import WebSocket

/// One address to connect to.
struct SocketAddress {
    var storage: sockaddr_storage
    let size: socklen_t
    var family: Int32 { Int32(storage.ss_family) }

    /// At the same place for IPv4 and IPv6.
    var port: UInt16 {
        withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) }
    }

    /// Only this machine reaches it.
    var isLoopback: Bool { withUnsafePointer(to: storage) { hws_is_loopback($0) != 0 } }

    func equals(_ other: SocketAddress) -> Bool {
        size == other.size
            && withUnsafePointer(to: storage) { a in withUnsafePointer(to: other.storage) { hws_address_equals(a, $0, size) != 0 } }
    }

    /// "127.0.0.1:443" or "[::1]:443", for messages.
    var text: String {
        var host = [CChar](repeating: 0, count: 64)
        var port = [CChar](repeating: 0, count: 8)
        let hostSize = socklen_t(host.count)
        let portSize = socklen_t(port.count)
        let result = withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getnameinfo($0, size, &host, hostSize, &port, portSize, NI_NUMERICHOST | NI_NUMERICSERV)
            }
        }
        guard result == 0 else { return "an address" }
        let name = String(terminated: host)
        return family == AF_INET6 ? "[\(name)]:\(String(terminated: port))" : "\(name):\(String(terminated: port))"
    }
}

enum Resolution {
    case addresses([SocketAddress])
    case failed(TransportFailure)
}

/// Name resolution by the system's resolver, on a few threads of its own: getaddrinfo blocks, cannot be cancelled and may take half a
/// minute. Whoever asks has a deadline and ignores an answer that comes after it.
final class Resolver: @unchecked Sendable {
    private struct Job {
        let number: UInt64
        let host: [UInt8]
        let port: UInt16
        let completion: (Resolution) -> Void
    }

    private let lock = Lock()
    private let work: Condition
    private var jobs: [Job] = []
    private var lastNumber: UInt64 = 0
    private var threads = 0
    private var idleThreads = 0

    /// As many lookups as may hang at once before others have to wait.
    private static let threadsMax = 8
    private static let idleMax = Interval.seconds(5)

    init() {
        work = Condition(lock)
    }

    /// The addresses of a numeric host, without a thread; nil if it is a name.
    static func numeric(_ host: [UInt8], port: UInt16) -> Resolution? {
        let result = lookUp(host, port: port, flags: AI_NUMERICHOST)
        if case .addresses = result { return result }
        return nil
    }

    /// Calls `completion` from a resolver thread, or at once if no thread can be had. Gives the lookup's number for `cancel`.
    func resolve(_ host: [UInt8], port: UInt16, _ completion: @escaping (Resolution) -> Void) -> UInt64 {
        var number: UInt64 = 0
        let hasThread = lock.withLock { () -> Bool in
            lastNumber += 1
            number = lastNumber
            jobs.append(Job(number: number, host: host, port: port, completion: completion))
            if idleThreads >= jobs.count || threads == Self.threadsMax {
                work.wake()
                return true
            }
            guard let thread = Thread.start("heartwire-dns", { [self] in run() }) else {
                if threads > 0 { return true }
                jobs.removeLast()
                return false
            }
            thread.detach()
            threads += 1
            return true
        }
        if !hasThread {
            let sentence = "no thread could be started to resolve the host name"
            completion(.failed(TransportFailure(kind: .system, nativeCode: EAGAIN, sentence: sentence)))
        }
        return number
    }

    /// Nobody waits for the lookup any more. One that has not begun never will, so that names without an answer do not hold up the others.
    func cancel(_ number: UInt64) {
        lock.withLock { jobs.removeAll { $0.number == number } }
    }

    /// A thread's life: jobs, then a while of waiting for more, then the end.
    private func run() {
        while let job = nextJob() {
            job.completion(Self.lookUp(job.host, port: job.port, flags: 0))
        }
    }

    private func nextJob() -> Job? {
        lock.withLock { () -> Job? in
            let deadline = Clock.now() + Self.idleMax
            idleThreads += 1
            defer { idleThreads -= 1 }
            while jobs.isEmpty {
                if Clock.now() >= deadline {
                    threads -= 1
                    return nil
                }
                _ = work.wait(until: deadline)
            }
            return jobs.removeFirst()
        }
    }

    static func lookUp(_ host: [UInt8], port: UInt16, flags: Int32 = 0) -> Resolution {
        var hints = addrinfo()
        hws_stream_hints(&hints, flags)
        var list: UnsafeMutablePointer<addrinfo>?
        let name = host.map { CChar(bitPattern: $0) } + [0]
        let service = String(port).bytes.map { CChar(bitPattern: $0) } + [0]
        let code = getaddrinfo(name, service, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        let hostText = String(utf8: host)
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            let sentence = "the host name '\(hostText)' could not be resolved: \(reason)"
            return .failed(TransportFailure(kind: .resolve, nativeCode: code, sentence: sentence))
        }
        var addresses: [SocketAddress] = []
        var next = list
        while let info = next?.pointee {
            next = info.ai_next
            guard let address = info.ai_addr, Int(info.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else { continue }
            var storage = sockaddr_storage()
            withUnsafeMutableBytes(of: &storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
            }
            addresses.append(SocketAddress(storage: storage, size: info.ai_addrlen))
        }
        guard !addresses.isEmpty else {
            let sentence = "the host name '\(hostText)' has no address"
            return .failed(TransportFailure(kind: .resolve, nativeCode: 0, sentence: sentence))
        }
        return .addresses(addresses)
    }
}
