import CHeartwire
import CSystem
import WebSocket

/// An SSL_CTX: protocol versions, the trusted certificates and this end's own. Shared by all connections with the same settings,
/// because a trust store costs megabytes and tens of milliseconds.
final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer
    let role: Role
    /// False if the peer's certificate is not to be verified.
    let verifies: Bool
    let versionMin: TLSSettings.Version
    let hasCertificate: Bool

    /// Reads files, which may block on the disk for some milliseconds.
    init(_ settings: TLSSettings) throws(ErrorDetails) {
        role = settings.role
        guard let pointer = SSL_CTX_new(role == .server ? TLS_server_method() : TLS_client_method()) else {
            let reason = TLSError.lastReason() ?? "out of memory"
            throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_TLS, "OpenSSL could not be set up: \(reason)")
        }
        self.pointer = pointer
        verifies = settings.verifies
        versionMin = settings.versionMin
        hasCertificate = settings.hasCertificate
        _ = hws_ssl_ctx_set_minimum(pointer, settings.versionMin == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION)
        hws_ssl_ctx_set_modes(pointer)
        // What the application gives to trust may be any authority on the way, not only a root.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(pointer), UInt(X509_V_FLAG_PARTIAL_CHAIN))
        switch role {
        case .client:
            SSL_CTX_set_alpn_protos(pointer, Self.protocols.utf8Start, Self.protocolsSize)
            TLSServerPeer.installCallbacks(in: pointer)
        case .server:
            selectProtocol()
            if verifies { SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil) }
            // Without one OpenSSL refuses to resume the sessions of clients that have shown a certificate.
            SSL_CTX_set_session_id_context(pointer, Self.protocols.utf8Start, Self.protocolsSize)
        }
        if verifies { try TrustStore.load(settings, into: pointer) }
        if hasCertificate { try OwnCertificate.load(settings, into: pointer) }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    /// What is spoken by ALPN, in its wire form (RFC 7301 section 3.1): the one protocol that an RFC 6455 handshake is part of.
    private static let protocols: StaticString = "\u{8}http/1.1"
    private static var protocolsSize: UInt32 { UInt32(protocols.utf8CodeUnitCount) }

    /// True for the protocol that was offered; also for none, as servers without ALPN answer.
    static func isOffered(_ selected: UnsafeBufferPointer<UInt8>) -> Bool {
        selected.isEmpty || selected.elementsEqual(ASCII.bytes(protocols).dropFirst())
    }

    /// A client that offers other protocols only is turned away with no_application_protocol (RFC 7301 section 3.2).
    private func selectProtocol() {
        SSL_CTX_set_alpn_select_cb(
            pointer,
            { _, selected, size, offered, offeredSize, _ in
                var found: UnsafeMutablePointer<UInt8>?
                let isFound = SSL_select_next_proto(
                    &found, size, TLSContext.protocols.utf8Start, TLSContext.protocolsSize, offered, offeredSize)
                guard isFound == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                selected?.pointee = UnsafePointer(found)
                return SSL_TLSEXT_ERR_OK
            }, nil)
    }
}

/// What OpenSSL says about a failure.
enum TLSError {
    /// The reason of the oldest error in this thread's queue, which is emptied.
    static func lastReason() -> String? {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return nil }
        return String(cString: text)
    }
}
