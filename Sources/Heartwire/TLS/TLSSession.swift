import CSystem
import Session
import WebSocket

/// One TLS connection over a socket, from its handshake to its end. Only one thread at a time may use it.
final class TLSSession {
    private let ssl: OpaquePointer
    private let peer: any TLSPeer
    /// For messages.
    private let peerName: StaticString
    private let socket: SocketBIO
    private(set) var isResumed = false
    /// A fatal error was met: OpenSSL forbids to use the connection further, even for a close_notify.
    private var isBroken = false
    private var isEstablished = false
    private var hasReceivedData = false
    /// The last read ended although there may be more to be had without the socket becoming readable.
    private var hasMore = false
    /// The end of the stream, met behind bytes that had to be handed out first.
    private var endBehindBytes: TransportFailure?

    enum Progress {
        case done
        case wantsRead
        case wantsWrite
        case failed(TransportFailure)
    }

    /// Bytes without any data after which the peer is taken to flood us: key updates and the like cost it less than us. Data that arrives
    /// in pieces stays below, as a record has at most 16 KiB.
    private static let datalessBytesMax = 65536

    /// Nil if OpenSSL is out of memory.
    ///
    /// Once every property is set, a failing initializer runs `deinit`, so nothing is freed here after that.
    init?(_ context: TLSContext, fd: Int32, peer: any TLSPeer) {
        guard let ssl = SSL_new(context.pointer) else { return nil }
        self.ssl = ssl
        self.peer = peer
        peerName = context.role.peerName
        socket = SocketBIO(fd: fd)
        guard peer.begin(ssl), let bio = socket.makeBIO() else { return nil }
        SSL_set_bio(ssl, bio, bio)
    }

    deinit {
        SSL_free(ssl)
    }

    /// True if a read may give something although the socket is silent: buffered bytes, or the end of the stream.
    var hasPending: Bool { endBehindBytes != nil || hasMore }

    // MARK: The handshake

    func handshake() -> Progress {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return establish() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default:
            isBroken = true
            return .failed(peer.handshakeFailed(ssl, errno: socket.error))
        }
    }

    private func establish() -> Progress {
        isResumed = SSL_session_reused(ssl) == 1
        if let failure = peer.objection(ssl, isResumed: isResumed) { return .failed(failure) }
        isEstablished = true
        socket.bytesReceived = 0
        socket.bytesMax = Self.datalessBytesMax
        hasMore = SSL_has_pending(ssl) == 1
        return .done
    }

    // MARK: The open connection

    /// Makes the handshake first, where nobody else has.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult {
        if let endBehindBytes { return .ended(endBehindBytes) }
        if !isEstablished {
            switch handshake() {
            case .done: break
            case .wantsRead: return .wouldBlock
            case .wantsWrite: return .wouldBlockOnOpposite
            case .failed(let failure): return .ended(failure)
            }
        }
        hasMore = false
        var total = 0
        // A record holds at most 16 KiB; several fill the buffer, so that messages are delivered in large batches.
        while total < buffer.count {
            ERR_clear_error()
            socket.isEmpty = false
            let room = Int32(clamping: buffer.count - total)
            let count = SSL_read(ssl, buffer.baseAddress.map { $0 + total }, room)
            if count > 0 {
                total += Int(count)
                hasReceivedData = true
                socket.bytesReceived = 0
                continue
            }
            switch ending(count, ordinary: SSL_ERROR_WANT_READ) {
            case .wouldBlock where !socket.isEmpty:
                // A record without data, such as a session ticket, which others may follow.
                guard socket.bytesReceived < socket.bytesMax else { return end(flooded, behind: total) }
            case .ended(let failure):
                return end(failure, behind: total)
            case let result:
                // OpenSSL keeps what a handshake message made it set up, a ticket's too.
                hws_ssl_free_idle_buffers(ssl)
                guard total > 0 else { return result }
                if case .wouldBlockOnOpposite = result { hasMore = true }
                return .bytes(total)
            }
        }
        hasMore = true
        return .bytes(total)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> StreamResult {
        guard isEstablished else { return .wouldBlockOnOpposite }
        ERR_clear_error()
        let count = SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
        return count > 0 ? .bytes(Int(count)) : ending(count, ordinary: SSL_ERROR_WANT_WRITE)
    }

    /// Tells the peer that the end is deliberate (RFC 8446 section 6.1), as far as that goes without waiting.
    func close() {
        guard isEstablished else { return }
        ERR_clear_error()
        if !isBroken { SSL_shutdown(ssl) }
        ERR_clear_error()
        // A session may be resumed however its connection ended (RFC 5246 section 7.2.1), but for a fatal alert; OpenSSL bars it
        // if it thinks that the shutdown was forgotten.
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        peer.ended(ssl)
    }

    private func end(_ failure: TransportFailure, behind total: Int) -> StreamResult {
        guard total > 0 else { return .ended(failure) }
        endBehindBytes = failure
        return .bytes(total)
    }

    /// Why a call gave nothing. A handshake message that has arrived in part, such as a ticket, makes even a write wait for reading.
    private func ending(_ result: Int32, ordinary: Int32) -> StreamResult {
        let error = SSL_get_error(ssl, result)
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            return error == ordinary ? .wouldBlock : .wouldBlockOnOpposite
        case SSL_ERROR_ZERO_RETURN:
            return .ended(Stream.endOfStream(from: peerName))
        case SSL_ERROR_SYSCALL:
            isBroken = true
            if !hasReceivedData, let failure = peer.cutBeforeData(errno: socket.error) { return .ended(failure) }
            return socket.error == 0 ? .ended(truncated) : Stream.result(errno: socket.error)
        default:
            isBroken = true
            return .ended(peer.connectionBroke(ERR_peek_error()))
        }
    }

    private var truncated: TransportFailure {
        lost("\(peerName) cut the connection, without a close handshake and without ending TLS (close_notify)")
    }

    private var flooded: TransportFailure {
        lost("\(peerName) sent \(Self.datalessBytesMax) bytes of TLS records that hold no data")
    }

    private func lost(_ sentence: String) -> TransportFailure {
        TransportFailure(kind: .lost, nativeCode: 0, sentence: sentence)
    }
}
