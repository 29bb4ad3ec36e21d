import CSystem
import Session
import WebSocket

/// Judges the certificates that a server presents (RFC 5280, RFC 9525, RFC 7469), and says what is wrong in words that help to mend it.
struct CertificateVerification {
    let context: TLSContext
    let pins: PinList
    let name: [UInt8]

    enum Outcome {
        /// With the pins of the verified chain, if any are to be compared.
        case trusted(chainPins: [[UInt8]])
        case failed(TransportFailure)
    }

    /// `store` holds what the server presented, and afterwards OpenSSL's verdict.
    func verify(_ store: OpaquePointer) -> Outcome {
        if context.verifies && X509_verify_cert(store) != 1 { return .failed(failure(store)) }
        guard !pins.isEmpty else { return .trusted(chainPins: []) }
        let chainPins = presentedPins(store)
        return accepts(chainPins) ? .trusted(chainPins: chainPins) : .failed(pinFailure(chainPins.first))
    }

    /// RFC 7469 section 2.6: one certificate of the verified chain is enough, be it the server's own or an authority's.
    func accepts(_ chainPins: [[UInt8]]) -> Bool {
        pins.isEmpty || chainPins.contains { pins.contains($0) }
    }

    /// Beginning with the server's own. Without verification only that one, as nothing proves that the others have to do with it.
    private func presentedPins(_ store: OpaquePointer) -> [[UInt8]] {
        guard context.verifies, let chain = X509_STORE_CTX_get0_chain(store) else {
            return Self.pin(X509_STORE_CTX_get0_cert(store)).map { [$0] } ?? []
        }
        return (0..<max(0, hws_certificate_count(chain))).compactMap { Self.pin(hws_certificate_at(chain, $0)) }
    }

    private static func pin(_ certificate: OpaquePointer?) -> [UInt8]? {
        guard let certificate else { return nil }
        var text = [UInt8](repeating: 0, count: 45)
        return hws_certificate_pin(certificate, &text) == 1 ? text.dropLast() : nil
    }

    // MARK: Sentences

    func pinFailure(_ leaf: [UInt8]?) -> TransportFailure {
        let pin = leaf.map { String(utf8: $0) } ?? "unknown"
        return TransportFailure(
            kind: .certificate, nativeCode: X509_V_ERR_APPLICATION_VERIFICATION,
            sentence: "no key in the certificates of '\(shown(name))' is in tls.pins; the server's own is sha256/\(pin): add it if right")
    }

    private func failure(_ store: OpaquePointer) -> TransportFailure {
        let code = X509_STORE_CTX_get_error(store)
        let certificate: OpaquePointer? = X509_STORE_CTX_get_current_cert(store)
        let found = certificate.map { reason(code, $0, isServers: X509_STORE_CTX_get_error_depth(store) == 0) }
        ERR_clear_error()
        return TransportFailure(
            kind: .certificate, nativeCode: code,
            sentence: "the certificate of '\(shown(name))' was not accepted: \(found ?? Self.plainReason(code))")
    }

    private func reason(_ code: Int32, _ certificate: OpaquePointer, isServers: Bool) -> String {
        let who = isServers ? "it" : "its authority's, of \(Self.text(X509_get_subject_name(certificate))),"
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return "\(who) expired on \(Self.text(X509_get0_notAfter(certificate))); the server needs a new one"
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return "\(who) is valid from \(Self.text(X509_get0_notBefore(certificate))) on; check this machine's clock"
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "it is for \(Self.hosts(certificate)); connect by that name, or set tls.server_name to it"
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "it is self-signed; if it is the right one, give it in tls.ca_file or tls.ca_pem"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return "its issuer is not trusted: \(Self.text(X509_get_issuer_name(certificate))); if it should be, give it in tls.ca_file"
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return "its authority is not trusted: \(Self.text(X509_get_subject_name(certificate))); if it should be, give it in tls.ca_file"
        case X509_V_ERR_INVALID_PURPOSE where isServers:
            return "it is not meant for servers (extended key usage)"
        default:
            return isServers ? Self.plainReason(code) : "\(Self.plainReason(code)), with \(Self.text(X509_get_subject_name(certificate)))"
        }
    }

    static func isExpired(_ certificate: OpaquePointer) -> Bool { X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0 }

    static func plainReason(_ code: Int32) -> String {
        String(cString: X509_verify_cert_error_string(Int(code)))
    }

    /// "a.example, b.example and others".
    private static func hosts(_ certificate: OpaquePointer) -> String {
        var hosts: [String] = []
        var buffer = [CChar](repeating: 0, count: 64)
        let capacity = buffer.count
        while hosts.count < 3, hws_certificate_host(certificate, Int32(hosts.count), &buffer, capacity) == 1 {
            hosts.append(String(terminated: buffer))
        }
        guard !hosts.isEmpty else { return "no host at all (it has no subjectAltName)" }
        let hasMore = hws_certificate_host(certificate, Int32(hosts.count), &buffer, capacity) == 1
        return hasMore ? "\(hosts.listed) and others" : hosts.listed
    }

    private static func text(_ name: OpaquePointer?) -> String {
        printed { bio in if let name { hws_print_name(bio, name) } }
    }

    private static func text(_ time: UnsafePointer<ASN1_TIME>?) -> String {
        printed { bio in if let time { ASN1_TIME_print(bio, time) } }
    }

    /// What OpenSSL prints, cut to a length that leaves room for the rest of the sentence.
    private static func printed(_ print: (OpaquePointer) -> Void) -> String {
        guard let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer { BIO_free(bio) }
        print(bio)
        var text = [UInt8](repeating: 0, count: 81)
        let count = Int(BIO_read(bio, &text, Int32(text.count)))
        guard count >= text.count else { return String(utf8: text.prefix(max(0, count))) }
        return String(utf8: text.prefix(text.count - 1)) + "..."
    }
}
