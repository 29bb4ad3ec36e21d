import CSystem
import Session
import WebSocket

/// The result of a read or a write that does not wait.
enum StreamResult {
    case bytes(Int)
    /// The socket is empty for a read, full for a write.
    case wouldBlock
    /// TLS must write before it can read, or read before it can write.
    case wouldBlockOnOpposite
    /// The peer ended the stream, or it broke.
    case ended(TransportFailure)
}

/// A connected socket, plain or under TLS. The owner's lock guards every call but a plain read; the descriptor is closed once, by `close`.
final class Stream {
    let fd: Int32
    /// Of this end.
    private let role: Role
    private let tls: TLSSession?

    init(fd: Int32, role: Role, tls: TLSSession?) {
        self.fd = fd
        self.role = role
        self.tls = tls
    }

    /// OpenSSL's state may not be used by two threads at once, so reads take the lock that writers hold.
    var needsLockToRead: Bool { tls != nil }

    /// True if a read can give bytes although the socket has none.
    var hasPending: Bool { tls?.hasPending ?? false }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult {
        if let tls { return tls.read(into: buffer) }
        let count = hws_receive(fd, buffer.baseAddress, buffer.count)
        if count > 0 { return .bytes(count) }
        if count == 0 { return .ended(Self.endOfStream(from: role.peerName)) }
        return Self.result(errno: hws_errno())
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> StreamResult {
        if let tls { return tls.write(bytes) }
        let count = hws_send(fd, bytes.baseAddress, bytes.count)
        return count >= 0 ? .bytes(count) : Self.result(errno: hws_errno())
    }

    /// Whom it leads to, as far as this machine sees it; nil once the peer has broken it.
    var peerAddress: SocketAddress? {
        var storage = sockaddr_storage()
        var size: socklen_t = 0
        return hws_peer_address(fd, &storage, &size) == 0 ? SocketAddress(storage: storage, size: size) : nil
    }

    /// True if TLS resumed an earlier connection's session.
    var isResumed: Bool { tls?.isResumed ?? false }

    /// Shuts down before closing: a process forked meanwhile holds a copy of the descriptor, and the peer must see the end all the same.
    func close() {
        tls?.close()
        shutdown(fd, Int32(SHUT_RDWR))
        CSystem.close(fd)
    }

    static func endOfStream(from peerName: StaticString) -> TransportFailure {
        TransportFailure(kind: .lost, nativeCode: 0, sentence: "\(peerName) ended the connection without a close handshake")
    }

    static func result(errno code: Int32) -> StreamResult {
        if hws_would_block(code) != 0 { return .wouldBlock }
        return .ended(TransportFailure(kind: .lost, nativeCode: code, sentence: "the connection broke: \(systemErrorText(code))"))
    }
}
