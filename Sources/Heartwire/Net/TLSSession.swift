import CSystem
import Session
import WebSocket

/// One TLS connection over a socket. Bytes go through a BIO of our own, whose writes cannot raise SIGPIPE.
final class TLSSession {
    private let ssl: OpaquePointer
    private let context: TLSContext
    private let host: [UInt8]
    /// A fatal error was met: OpenSSL forbids to use the connection further, even for a close_notify.
    private var isBroken = false
    private var isEstablished = false
    /// The end of the stream, met behind bytes that had to be handed out first.
    private var endBehindBytes: TransportFailure?

    enum Progress {
        case done
        case wantsRead
        case wantsWrite
        case failed(TransportFailure)
    }

    /// Nil if OpenSSL is out of memory. Server name indication goes out for names, not for addresses (RFC 6066 section 3); names
    /// and addresses alike are verified against the certificate.
    ///
    /// Once every property is set, a failing initializer runs `deinit`, so nothing is freed here after that.
    init?(context: TLSContext, fd: Int32, url: URL) {
        guard let ssl = SSL_new(context.pointer) else { return nil }
        self.ssl = ssl
        self.context = context
        host = url.host
        // A zone says which interface leads to the address, and a final dot that a name is complete: certificates hold neither.
        var bare = url.host.prefix { $0 != 0x25 }
        if bare.last == 0x2E { bare.removeLast() }
        let name = bare.map { CChar(bitPattern: $0) } + [0]
        let parameters = SSL_get0_param(ssl)
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        var isReady = true
        if hws_is_address(name) != 0 {
            isReady = X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1
        } else {
            isReady = X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 && hws_ssl_set_server_name(ssl, name) == 1
        }
        guard isReady, let bio = SocketBIO.make(fd: fd) else { return nil }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_connect_state(ssl)
    }

    deinit {
        SSL_free(ssl)
    }

    /// True if a read has something to give although the socket is silent: buffered bytes, or the end of the stream.
    var hasPending: Bool { endBehindBytes != nil || SSL_has_pending(ssl) == 1 }

    func handshake() -> Progress {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            isEstablished = true
            return .done
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default:
            isBroken = true
            return .failed(handshakeFailure())
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult {
        if let endBehindBytes { return .ended(endBehindBytes) }
        var total = 0
        // A record holds at most 16 KiB; several fill the buffer, so that messages are delivered in large batches.
        while total < buffer.count {
            ERR_clear_error()
            let room = Int32(clamping: buffer.count - total)
            let count = SSL_read(ssl, buffer.baseAddress.map { $0 + total }, room)
            if count > 0 {
                total += Int(count)
                continue
            }
            let result = ending(count, ordinary: SSL_ERROR_WANT_READ)
            guard total > 0 else { return result }
            if case .ended(let failure) = result { endBehindBytes = failure }
            return .bytes(total)
        }
        return .bytes(total)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> StreamResult {
        ERR_clear_error()
        let count = SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
        return count > 0 ? .bytes(Int(count)) : ending(count, ordinary: SSL_ERROR_WANT_WRITE)
    }

    /// Best effort: tells the peer that the end is deliberate (RFC 8446 section 6.1), without waiting.
    func sendCloseNotify() {
        guard isEstablished && !isBroken else { return }
        ERR_clear_error()
        SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Why a call gave nothing. A handshake message that has arrived in part, such as a session ticket, makes even a write wait for reading.
    private func ending(_ result: Int32, ordinary: Int32) -> StreamResult {
        let error = SSL_get_error(ssl, result)
        switch error {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE:
            return error == ordinary ? .wouldBlock : .wouldBlockOnOpposite
        case SSL_ERROR_ZERO_RETURN:
            return .ended(Stream.endOfStream)
        case SSL_ERROR_SYSCALL:
            isBroken = true
            let code = hws_errno()
            return code == 0 ? .ended(Stream.endOfStream) : Stream.result(errno: code)
        default:
            isBroken = true
            guard let reason = TLSError.lastReason() else { return .ended(Stream.endOfStream) }
            return .ended(TransportFailure(kind: .lost, nativeCode: 0, sentence: "the TLS connection broke: \(reason)"))
        }
    }

    private func handshakeFailure() -> TransportFailure {
        let name = String(decoding: host, as: UTF8.self)
        let verification = SSL_get_verify_result(ssl)
        if verification != X509_V_OK {
            ERR_clear_error()
            let reason = String(cString: X509_verify_cert_error_string(verification))
            return TransportFailure(
                kind: .certificate, nativeCode: Int32(clamping: verification),
                sentence: "the certificate of '\(name)' was not accepted: \(reason)")
        }
        let reason = TLSError.lastReason() ?? "the server ended the connection"
        return TransportFailure(kind: .tls, nativeCode: 0, sentence: "the TLS handshake with '\(name)' failed: \(reason)")
    }
}

/// A BIO over a socket whose descriptor it does not own.
private enum SocketBIO {
    /// Made once for the process; OpenSSL keeps a pointer to it in every BIO.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR
        guard let method = BIO_meth_new(type, "heartwire socket") else { return nil }
        BIO_meth_set_read(method) { bio, buffer, size in
            hws_bio_clear_retry(bio)
            let count = hws_receive(fd(bio), buffer, Int(size))
            if count < 0 && hws_would_block(hws_errno()) != 0 { hws_bio_set_retry_read(bio) }
            return Int32(clamping: count)
        }
        BIO_meth_set_write(method) { bio, bytes, size in
            hws_bio_clear_retry(bio)
            let count = hws_send(fd(bio), bytes, Int(size))
            if count < 0 && hws_would_block(hws_errno()) != 0 { hws_bio_set_retry_write(bio) }
            return Int32(clamping: count)
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    static func make(fd: Int32) -> OpaquePointer? {
        guard let method, let bio = BIO_new(method) else { return nil }
        // The descriptor itself stands where a pointer to data would; one more, so that 0 is not NULL.
        BIO_set_data(bio, UnsafeMutableRawPointer(bitPattern: Int(fd) + 1))
        BIO_set_init(bio, 1)
        return bio
    }

    private static func fd(_ bio: OpaquePointer?) -> Int32 {
        Int32(Int(bitPattern: BIO_get_data(bio)) - 1)
    }
}
