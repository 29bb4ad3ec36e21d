import CSystem
import Session
import WebSocket

/// One TLS connection over a socket, from its handshake to its end. Only one thread at a time may use it.
final class TLSSession {
    private let ssl: OpaquePointer
    private let client: TLSClient
    private let url: URL
    private let verification: CertificateVerification
    private let socket: SocketBIO
    /// The session that the server was asked to resume.
    private var offered: TLSClient.Resumable?
    private(set) var isResumed = false
    /// The pins of the chain that this session was verified with.
    private var chainPins: [[UInt8]] = []
    private var verificationFailure: TransportFailure?
    private var wasAskedForCertificate = false
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

    /// Nil if OpenSSL is out of memory. Server name indication goes out for names, not for addresses (RFC 6066 section 3); names
    /// and addresses alike are verified against the certificate.
    ///
    /// Once every property is set, a failing initializer runs `deinit`, so nothing is freed here after that.
    init?(client: TLSClient, fd: Int32, url: URL) {
        guard let ssl = SSL_new(client.context.pointer) else { return nil }
        self.ssl = ssl
        self.client = client
        self.url = url
        let host = client.name(for: url)
        verification = CertificateVerification(context: client.context, pins: client.pins, name: host)
        socket = SocketBIO(fd: fd)
        guard Self.setName(host, ssl), let bio = socket.makeBIO() else { return nil }
        SSL_set_bio(ssl, bio, bio)
        hws_ssl_set_object(ssl, Unmanaged.passUnretained(self).toOpaque())
        SSL_set_connect_state(ssl)
        if !client.isOwn(url) { SSL_certs_clear(ssl) }
        if let session = client.takeSession(for: url), SSL_set_session(ssl, session.session) == 1 { offered = session }
    }

    deinit {
        SSL_free(ssl)
    }

    private static func setName(_ host: [UInt8], _ ssl: OpaquePointer) -> Bool {
        // A zone says which interface leads to the address, and a final dot that a name is complete: certificates hold neither.
        var bare = host.prefix { $0 != 0x25 }
        if bare.last == 0x2E { bare.removeLast() }
        let name = bare.map { CChar(bitPattern: $0) } + [0]
        let parameters = SSL_get0_param(ssl)
        // The names of a certificate are its subjectAltName (RFC 9525 section 2); what the application gives to trust may be any
        // authority on the way, not only a root.
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        if hws_is_address(name) != 0 { return X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 }
        return X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 && hws_ssl_set_server_name(ssl, name) == 1
    }

    /// True if a read may give something although the socket is silent: buffered bytes, or the end of the stream.
    var hasPending: Bool { endBehindBytes != nil || hasMore }

    // MARK: The handshake

    /// Has OpenSSL ask a session of this class what it thinks of the server's certificates. Always, as pins hold without verification too.
    static func installCallbacks(in context: OpaquePointer) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_cert_verify_callback(
            context,
            { store, _ in
                let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
                guard let store, let ssl, let session = TLSSession.of(OpaquePointer(ssl)) else { return 0 }
                return session.verify(store) ? 1 : 0
            }, nil)
        SSL_CTX_set_cert_cb(
            context,
            { ssl, _ in
                if let ssl, let session = TLSSession.of(ssl) { session.wasAskedForCertificate = true }
                return 1
            }, nil)
    }

    private static func of(_ ssl: OpaquePointer) -> TLSSession? {
        hws_ssl_object(ssl).map { Unmanaged<TLSSession>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Inside the handshake, before anything but greetings has been said: an impostor gets no certificate of ours and no byte of HTTP.
    private func verify(_ store: OpaquePointer) -> Bool {
        switch verification.verify(store) {
        case .trusted(let chainPins):
            self.chainPins = chainPins
            return true
        case .failed(let failure):
            verificationFailure = failure
            X509_STORE_CTX_set_error(store, failure.nativeCode)
            return false
        }
    }

    func handshake() -> Progress {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return establish() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsRead
        case SSL_ERROR_WANT_WRITE: return .wantsWrite
        default:
            isBroken = true
            return .failed(handshakeFailure())
        }
    }

    private func establish() -> Progress {
        isResumed = SSL_session_reused(ssl) == 1
        if isResumed, let offered {
            // The server showed no certificate this time: the session answers for the one that it showed before.
            chainPins = offered.chainPins
            guard verification.accepts(chainPins) else { return .failed(verification.pinFailure(chainPins.first)) }
        }
        offered = nil
        var selected: UnsafePointer<UInt8>?
        var size: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &selected, &size)
        let alpn = UnsafeBufferPointer(start: selected, count: Int(size))
        guard TLSContext.isOffered(alpn) else { return .failed(explanation.otherProtocol(alpn)) }
        isEstablished = true
        socket.bytesReceived = 0
        socket.bytesMax = Self.datalessBytesMax
        hasMore = SSL_has_pending(ssl) == 1
        return .done
    }

    private func handshakeFailure() -> TransportFailure {
        if let verificationFailure { return verificationFailure }
        if socket.error != 0 { return explanation.handshakeBroke(errno: socket.error) }
        return explanation.handshakeFailed(ERR_peek_error())
    }

    private var explanation: TLSFailureText {
        TLSFailureText(
            name: shown(verification.name), versionMin: client.context.versionMin,
            wantsCertificate: wasAskedForCertificate, hasCertificate: client.context.hasCertificate && client.isOwn(url))
    }

    // MARK: The open connection

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamResult {
        if let endBehindBytes { return .ended(endBehindBytes) }
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
                guard socket.bytesReceived < socket.bytesMax else { return end(Self.flooded, behind: total) }
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
        ERR_clear_error()
        let count = SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count))
        return count > 0 ? .bytes(Int(count)) : ending(count, ordinary: SSL_ERROR_WANT_WRITE)
    }

    /// Tells the peer that the end is deliberate (RFC 8446 section 6.1), as far as that goes without waiting, and keeps the session.
    func close() {
        guard isEstablished else { return }
        ERR_clear_error()
        if !isBroken { SSL_shutdown(ssl) }
        ERR_clear_error()
        // A session may be resumed however its connection ended (RFC 5246 section 7.2.1), but for a fatal alert; OpenSSL bars it
        // if it thinks that the shutdown was forgotten.
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        guard let session = SSL_get1_session(ssl) else { return }
        let resumable = TLSClient.Resumable(session: session, url: url, chainPins: chainPins)
        if SSL_SESSION_is_resumable(session) == 1 { client.keep(resumable) }
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
            return .ended(Stream.endOfStream)
        case SSL_ERROR_SYSCALL:
            isBroken = true
            if wasAskedForCertificate && !hasReceivedData { return .ended(explanation.cutAfterCertificate(errno: socket.error)) }
            return socket.error == 0 ? .ended(Self.truncated) : Stream.result(errno: socket.error)
        default:
            isBroken = true
            return .ended(explanation.connectionBroke(ERR_peek_error()))
        }
    }

    private static let truncated = TransportFailure(
        kind: .lost, nativeCode: 0,
        sentence: "the server cut the connection, without a close handshake and without ending TLS (close_notify)")

    private static let flooded = TransportFailure(
        kind: .lost, nativeCode: 0, sentence: "the server sent \(datalessBytesMax) bytes of TLS records that hold no data")
}
