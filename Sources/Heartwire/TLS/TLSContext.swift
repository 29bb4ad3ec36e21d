import CHeartwire
import CSystem
import WebSocket

/// An SSL_CTX: protocol versions, the trusted certificates and the client's own. Shared by all connections with the same settings,
/// because a trust store costs megabytes and tens of milliseconds.
final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer
    /// False if the server's certificate is not to be verified.
    let verifies: Bool
    let versionMin: TLSSettings.Version
    let hasCertificate: Bool

    /// Reads files, which may block on the disk for some milliseconds.
    init(_ settings: TLSSettings) throws(ErrorDetails) {
        guard let pointer = SSL_CTX_new(TLS_client_method()) else {
            let reason = TLSError.lastReason() ?? "out of memory"
            throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_TLS, "OpenSSL could not be set up: \(reason)")
        }
        self.pointer = pointer
        verifies = settings.verifies
        versionMin = settings.versionMin
        hasCertificate = !settings.certificateFile.isEmpty || !settings.certificatePEM.isEmpty
        _ = hws_ssl_ctx_set_minimum(pointer, settings.versionMin == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION)
        hws_ssl_ctx_set_modes(pointer)
        SSL_CTX_set_alpn_protos(pointer, Self.protocols, UInt32(Self.protocols.count))
        TLSSession.installCallbacks(in: pointer)
        if settings.verifies { try TrustStore.load(settings, into: pointer) }
        if hasCertificate { try ClientCertificate.load(settings, into: pointer) }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    /// What is offered by ALPN, in its wire form (RFC 7301 section 3.1): the one protocol that an RFC 6455 handshake is part of.
    private static let protocols: [UInt8] = [8] + Array("http/1.1".utf8)

    /// True for the protocol that was offered; also for none, as servers without ALPN answer.
    static func isOffered(_ selected: UnsafeBufferPointer<UInt8>) -> Bool {
        selected.isEmpty || selected.elementsEqual(protocols.dropFirst())
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
