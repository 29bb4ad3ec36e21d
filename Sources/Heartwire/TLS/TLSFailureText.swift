import CSystem
import Session
import WebSocket

/// What OpenSSL's errors mean to whoever has to mend them. `code` is the oldest error of this thread's queue, 0 if there is none.
struct TLSFailureText {
    /// The server's, as it is shown.
    let name: String
    let versionMin: TLSSettings.Version
    /// The server asked for a certificate of the client's.
    let wantsCertificate: Bool
    /// One is configured.
    let hasCertificate: Bool

    func handshakeFailed(_ code: UInt) -> TransportFailure {
        let reason = TLSError.lastReason() ?? "the server ended the connection"
        switch Problem(code) {
        case .certificateOfOurs: return clientCertificate(reason)
        case .alert where wantsCertificate && !hasCertificate: return clientCertificate(reason)
        case .version: return handshake("it speaks no TLS from version \(least) on (tls.version_min): \(reason)", .tlsVersion)
        case .notTLS: return handshake("it does not answer in TLS; is this the port of a ws:// URL? \(reason)")
        case .extension: return handshake("it chose what was not offered, such as a protocol other than http/1.1 by ALPN: \(reason)")
        case .alert, .other: return handshake(reason)
        case .none where wantsCertificate: return cutAfterCertificate(errno: 0)
        case .none:
            return handshake("the server ended the connection; it may speak no TLS, or no version from \(least) on (tls.version_min)")
        }
    }

    private var least: StaticString { versionMin == .tls13 ? "1.3" : "1.2" }

    /// The connection ended before the server said anything: what comes of a server that does not send the alert it should.
    func cutAfterCertificate(errno code: Int32) -> TransportFailure {
        let sentence =
            hasCertificate
            ? "the server '\(name)' cut the connection after it got the client's certificate, and may not accept it"
            : "the server '\(name)' asked for a client certificate, got none and cut the connection: set tls.certificate_file"
        return TransportFailure(kind: .tls, nativeCode: code, sentence: sentence)
    }

    func handshakeBroke(errno code: Int32) -> TransportFailure {
        TransportFailure(kind: .tls, nativeCode: code, sentence: "the TLS handshake with '\(name)' failed: \(systemErrorText(code))")
    }

    /// With TLS 1.3 a server judges the client's certificate when the handshake is over for the client.
    func connectionBroke(_ code: UInt) -> TransportFailure {
        let reason = TLSError.lastReason() ?? "the server ended the connection"
        switch Problem(code) {
        case .certificateOfOurs: return clientCertificate(reason)
        case .alert:
            return TransportFailure(kind: .tls, nativeCode: 0, sentence: "the server '\(name)' ended the TLS connection: \(reason)")
        case .version, .notTLS, .extension, .other, .none:
            return TransportFailure(kind: .lost, nativeCode: 0, sentence: "the TLS connection with '\(name)' broke: \(reason)")
        }
    }

    /// Releases of OpenSSL before 3.0.15 take any.
    func otherProtocol(_ selected: UnsafeBufferPointer<UInt8>) -> TransportFailure {
        let shown = selected.prefix(20).map { $0 > 0x20 && $0 < 0x7F ? $0 : 0x3F }
        return handshake("by ALPN it chose '\(String(utf8: shown))', only http/1.1 was offered")
    }

    private func handshake(_ reason: String, _ kind: TransportFailure.Kind = .tls) -> TransportFailure {
        TransportFailure(kind: kind, nativeCode: 0, sentence: "the TLS handshake with '\(name)' failed: \(reason)")
    }

    private func clientCertificate(_ reason: String) -> TransportFailure {
        let sentence =
            hasCertificate
            ? "the server '\(name)' does not accept the certificate of tls.certificate_file or tls.certificate_pem: \(reason)"
            : "the server '\(name)' wants a client certificate: set tls.certificate_file and tls.key_file (\(reason))"
        return TransportFailure(kind: .clientCertificate, nativeCode: 0, sentence: sentence)
    }

    private enum Problem {
        /// An alert about the client's certificate (RFC 8446 section 6.2).
        case certificateOfOurs
        case alert
        case version
        case notTLS
        case `extension`
        case other
        case none

        init(_ code: UInt) {
            let reason = hws_error_reason(code)
            guard code != 0 else {
                self = .none
                return
            }
            guard hws_is_ssl_error(code) != 0 else {
                self = .other
                return
            }
            switch reason - SSL_AD_REASON_OFFSET {
            case SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED,
                SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA, SSL_AD_ACCESS_DENIED, TLS13_AD_CERTIFICATE_REQUIRED:
                self = .certificateOfOurs
            case SSL_AD_PROTOCOL_VERSION: self = .version
            case 0...255: self = .alert
            default:
                switch reason {
                case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW: self = .version
                case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG: self = .notTLS
                case SSL_R_BAD_EXTENSION: self = .extension
                default: self = .other
                }
            }
        }
    }
}
