import CSystem
import Session
import WebSocket

/// The server that a managed connection leads to: its certificates are judged, and its session is taken up by the next connection.
final class TLSServerPeer: TLSPeer {
    private let client: TLSClient
    private let url: URL
    private let verification: CertificateVerification
    /// The session that the server was asked to resume.
    private var offered: TLSClient.Resumable?
    /// The pins of the chain that this session was verified with.
    private var chainPins: [[UInt8]] = []
    private var verificationFailure: TransportFailure?
    private var wasAskedForCertificate = false

    init(_ client: TLSClient, at url: URL) {
        self.client = client
        self.url = url
        verification = CertificateVerification(context: client.context, pins: client.pins, name: client.name(for: url))
    }

    /// Server name indication goes out for names, not for addresses (RFC 6066 section 3); names and addresses alike are verified against
    /// the certificate.
    func begin(_ ssl: OpaquePointer) -> Bool {
        guard Self.setName(verification.name, ssl) else { return false }
        hws_ssl_set_object(ssl, Unmanaged.passUnretained(self).toOpaque())
        SSL_set_connect_state(ssl)
        if !client.isOwn(url) { SSL_certs_clear(ssl) }
        if let session = client.takeSession(for: url), SSL_set_session(ssl, session.session) == 1 { offered = session }
        return true
    }

    private static func setName(_ host: [UInt8], _ ssl: OpaquePointer) -> Bool {
        // A zone says which interface leads to the address, and a final dot that a name is complete: certificates hold neither.
        var bare = host.prefix { $0 != 0x25 }
        if bare.last == 0x2E { bare.removeLast() }
        let name = bare.map { CChar(bitPattern: $0) } + [0]
        let parameters = SSL_get0_param(ssl)
        // The names of a certificate are its subjectAltName (RFC 9525 section 2).
        X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        if hws_is_address(name) != 0 { return X509_VERIFY_PARAM_set1_ip_asc(parameters, name) == 1 }
        return X509_VERIFY_PARAM_set1_host(parameters, name, 0) == 1 && hws_ssl_set_server_name(ssl, name) == 1
    }

    /// Has OpenSSL ask an object of this class what it thinks of the server's certificates. Always, as pins hold without verification too.
    static func installCallbacks(in context: OpaquePointer) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        SSL_CTX_set_cert_verify_callback(
            context,
            { store, _ in
                let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
                guard let store, let ssl, let server = TLSServerPeer.of(OpaquePointer(ssl)) else { return 0 }
                return server.verify(store) ? 1 : 0
            }, nil)
        SSL_CTX_set_cert_cb(
            context,
            { ssl, _ in
                if let ssl, let server = TLSServerPeer.of(ssl) { server.wasAskedForCertificate = true }
                return 1
            }, nil)
    }

    private static func of(_ ssl: OpaquePointer) -> TLSServerPeer? {
        hws_ssl_object(ssl).map { Unmanaged<TLSServerPeer>.fromOpaque($0).takeUnretainedValue() }
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

    func objection(_ ssl: OpaquePointer, isResumed: Bool) -> TransportFailure? {
        if isResumed, let offered {
            // The server showed no certificate this time: the session answers for the one that it showed before.
            chainPins = offered.chainPins
            guard verification.accepts(chainPins) else { return verification.pinFailure(chainPins.first) }
        }
        offered = nil
        var selected: UnsafePointer<UInt8>?
        var size: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &selected, &size)
        let alpn = UnsafeBufferPointer(start: selected, count: Int(size))
        return TLSContext.isOffered(alpn) ? nil : explanation.otherProtocol(alpn)
    }

    func handshakeFailed(_ ssl: OpaquePointer, errno code: Int32) -> TransportFailure {
        if let verificationFailure { return verificationFailure }
        if code != 0 { return explanation.handshakeBroke(errno: code) }
        return explanation.handshakeFailed(ERR_peek_error())
    }

    func cutBeforeData(errno code: Int32) -> TransportFailure? {
        wasAskedForCertificate ? explanation.cutAfterCertificate(errno: code) : nil
    }

    func connectionBroke(_ code: UInt) -> TransportFailure { explanation.connectionBroke(code) }

    func ended(_ ssl: OpaquePointer) {
        guard let session = SSL_get1_session(ssl) else { return }
        let resumable = TLSClient.Resumable(session: session, url: url, chainPins: chainPins)
        if SSL_SESSION_is_resumable(session) == 1 { client.keep(resumable) }
    }

    private var explanation: TLSFailureText {
        TLSFailureText(
            name: shown(verification.name), versionMin: client.context.versionMin,
            wantsCertificate: wasAskedForCertificate, hasCertificate: client.context.hasCertificate && client.isOwn(url))
    }
}
