import CHeartwire
import CSystem
import WebSocket

/// This end's own certificate with its key and chain: a listener's, or a client's for servers that ask for one.
enum OwnCertificate {
    static func load(_ settings: TLSSettings, into context: OpaquePointer) throws(ErrorDetails) {
        let certificateName = named("tls.certificate_file", settings.certificateFile, else: "tls.certificate_pem")
        let certificate = try text("tls.certificate_file", settings.certificateFile, else: settings.certificatePEM)
        try loadChain(certificate, certificateName, into: context)

        let isSeparate = !settings.keyFile.isEmpty || !settings.keyPEM.isEmpty
        let keyName = isSeparate ? named("tls.key_file", settings.keyFile, else: "tls.key_pem") : certificateName
        let key = isSeparate ? try text("tls.key_file", settings.keyFile, else: settings.keyPEM) : certificate
        try loadKey(key, keyName, password: settings.keyPassword, into: context)
    }

    /// The first certificate is our own, the others lead to its authority.
    private static func loadChain(_ text: [UInt8], _ name: String, into context: OpaquePointer) throws(ErrorDetails) {
        var isAccepted = true
        var isFirst = true
        let read = PEM.eachCertificate(in: text) { certificate in
            let isTaken =
                isFirst ? SSL_CTX_use_certificate(context, certificate) == 1 : hws_ssl_ctx_add_chain_certificate(context, certificate) == 1
            isAccepted = isAccepted && isTaken
            isFirst = false
        }
        switch read {
        case .read(0): throw failure("\(name) holds no certificate in PEM form")
        case .broken(let number, let reason): throw failure("certificate number \(number) of \(name) is broken: \(reason)")
        case .read:
            guard isAccepted else { throw failure("\(name) cannot be used: \(TLSError.lastReason() ?? "OpenSSL refuses it")") }
        }
    }

    private static func loadKey(_ text: [UInt8], _ name: String, password: [UInt8], into context: OpaquePointer) throws(ErrorDetails) {
        switch PEM.key(in: text, password: password) {
        case .locked: throw failure("the private key in \(name) is encrypted: set tls.key_password")
        case .unreadable(let reason):
            throw failure("\(name) holds no private key in PEM form that can be read: \(reason); set tls.key_file if it is elsewhere")
        case .key(let key):
            defer { EVP_PKEY_free(key) }
            guard SSL_CTX_use_PrivateKey(context, key) == 1, SSL_CTX_check_private_key(context) == 1 else {
                throw failure("the private key in \(name) does not fit the certificate: \(TLSError.lastReason() ?? "refused")")
            }
        }
    }

    private static func text(_ property: StaticString, _ path: [UInt8], else text: [UInt8]) throws(ErrorDetails) -> [UInt8] {
        guard !path.isEmpty else { return text }
        switch PEM.contents(ofFile: path) {
        case .text(let text): return text
        case .failed(let code, let reason):
            let error = failure("\(named(property, path, else: property)) could not be read: \(reason)")
            error.nativeCode = code
            throw error
        }
    }

    private static func named(_ property: StaticString, _ path: [UInt8], else other: StaticString) -> String {
        path.isEmpty ? "\(other)" : "\(property) '\(String(utf8: path))'"
    }

    private static func failure(_ message: String) -> ErrorDetails {
        ErrorDetails(HW_E_VALUE, HW_LAYER_TLS, message)
    }
}
