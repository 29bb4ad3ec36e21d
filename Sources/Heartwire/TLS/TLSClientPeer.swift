import CSystem
import Session
import WebSocket

/// A client of a listener. If it has to show a certificate, OpenSSL judges that by itself, and by the authorities that the listener trusts.
final class TLSClientPeer: TLSPeer {
    func begin(_ ssl: OpaquePointer) -> Bool {
        SSL_set_accept_state(ssl)
        return true
    }

    /// A session answers for the certificate that the client showed before, and may not outlive that.
    func objection(_ ssl: OpaquePointer, isResumed: Bool) -> TransportFailure? {
        guard isResumed, let session = SSL_get_session(ssl), let certificate = SSL_SESSION_get0_peer(session) else { return nil }
        return CertificateVerification.isExpired(certificate) ? refusal(X509_V_ERR_CERT_HAS_EXPIRED) : nil
    }

    func handshakeFailed(_ ssl: OpaquePointer, errno code: Int32) -> TransportFailure {
        let verdict = Int32(clamping: SSL_get_verify_result(ssl))
        if verdict != X509_V_OK {
            ERR_clear_error()
            return refusal(verdict)
        }
        let reason = code == 0 ? TLSError.lastReason() ?? "the client ended the connection" : systemErrorText(code)
        return TransportFailure(kind: .tls, nativeCode: code, sentence: "the TLS handshake with the client failed: \(reason)")
    }

    func cutBeforeData(errno code: Int32) -> TransportFailure? { nil }

    func connectionBroke(_ code: UInt) -> TransportFailure {
        let reason = TLSError.lastReason() ?? "the client ended the connection"
        return TransportFailure(kind: .lost, nativeCode: 0, sentence: "the TLS connection with the client broke: \(reason)")
    }

    /// OpenSSL keeps what it needs to resume sessions, or has given it to the client.
    func ended(_ ssl: OpaquePointer) {}

    private func refusal(_ code: Int32) -> TransportFailure {
        let reason = CertificateVerification.plainReason(code)
        return TransportFailure(kind: .certificate, nativeCode: code, sentence: "the client's certificate was not accepted: \(reason)")
    }
}
