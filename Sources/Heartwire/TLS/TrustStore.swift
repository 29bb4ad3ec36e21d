import CHeartwire
import CSystem
import WebSocket

/// The certificates of the authorities to trust: those that the application gives, or the system's, found at run time because a library
/// that is carried from one distribution to another cannot know where they lie.
enum TrustStore {
    /// Environment variables first, then where OpenSSL was built to look, then the known places: Debian and Ubuntu, Fedora and RHEL, openSUSE,
    /// Alpine and macOS, FreeBSD.
    private static let files: [StaticString] = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        "/usr/local/share/certs/ca-root-nss.crt",
    ]

    static func load(_ settings: TLSSettings, into context: OpaquePointer) throws(ErrorDetails) {
        if settings.caFile.isEmpty && settings.caDirectory.isEmpty && settings.caPEM.isEmpty { return try loadSystem(into: context) }
        if !settings.caFile.isEmpty { try load(file: settings.caFile, into: context) }
        if !settings.caDirectory.isEmpty { try load(directory: settings.caDirectory, into: context) }
        if !settings.caPEM.isEmpty { try add(settings.caPEM, "tls.ca_pem", to: context) }
    }

    private static func load(file path: [UInt8], into context: OpaquePointer) throws(ErrorDetails) {
        let name = "tls.ca_file '\(String(utf8: path))'"
        switch PEM.contents(ofFile: path) {
        case .text(let text): try add(text, name, to: context)
        case .failed(let code, let reason): throw failure("\(name) could not be read: \(reason)", code)
        }
    }

    /// All files now, rather than by hashed names when a certificate is verified: that would read the disk on the I/O thread, and a
    /// directory whose files were not renamed by their hashes would silently hold nothing.
    private static func load(directory path: [UInt8], into context: OpaquePointer) throws(ErrorDetails) {
        let name = "tls.ca_dir '\(String(utf8: path))'"
        guard let directory = opendir(path.map { CChar(bitPattern: $0) } + [0]) else {
            let code = hws_errno()
            throw failure("\(name) could not be read: \(systemErrorText(code))", code)
        }
        defer { closedir(directory) }
        var count = 0
        while let entry = hws_next_entry(directory) {
            let file = path + [0x2F] + String(cString: entry).bytes
            // What cannot be read or holds something else is none of our business: a directory may hold anything.
            guard hws_is_file(file.map { CChar(bitPattern: $0) } + [0]) != 0 else { continue }
            guard case .text(let text) = PEM.contents(ofFile: file) else { continue }
            if case .read(let found) = PEM.eachCertificate(in: text, { add($0, to: context) }) { count += found }
        }
        guard count > 0 else { throw failure("\(name) holds no file with certificates in PEM form") }
    }

    private static func add(_ text: [UInt8], _ name: String, to context: OpaquePointer) throws(ErrorDetails) {
        switch PEM.eachCertificate(in: text, { add($0, to: context) }) {
        case .read(0): throw failure("\(name) holds no certificate in PEM form")
        case .read: return
        case .broken(let number, let reason): throw failure("certificate number \(number) of \(name) is broken: \(reason)")
        }
    }

    private static func add(_ certificate: OpaquePointer, to context: OpaquePointer) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate)
    }

    private static func loadSystem(into context: OpaquePointer) throws(ErrorDetails) {
        var tried: [String] = []
        for (variable, isFile) in [(X509_get_default_cert_file_env(), true), (X509_get_default_cert_dir_env(), false)] {
            guard let variable, let value = getenv(variable), value.pointee != 0 else { continue }
            if load(value, isFile: isFile, context, &tried) { return }
        }
        if let path = X509_get_default_cert_file(), load(path, isFile: true, context, &tried) { return }
        for file in files where file.withCString({ load($0, isFile: true, context, &tried) }) { return }
        if let path = X509_get_default_cert_dir(), load(path, isFile: false, context, &tried) { return }
        throw failure("no trusted certificates were found; tried \(tried.listed); install ca-certificates or set tls.ca_file")
    }

    private static func load(
        _ path: UnsafePointer<CChar>, isFile: Bool, _ context: OpaquePointer, _ tried: inout [String]
    ) -> Bool {
        let text = String(cString: path)
        if tried.contains(where: { $0.bytes == text.bytes }) { return false }
        tried.append(text)
        guard access(path, R_OK) == 0 else { return false }
        defer { ERR_clear_error() }
        return (isFile ? SSL_CTX_load_verify_file(context, path) : SSL_CTX_load_verify_dir(context, path)) == 1
    }

    private static func failure(_ message: String, _ code: Int32 = 0) -> ErrorDetails {
        let error = ErrorDetails(HW_E_TRUST_STORE, HW_LAYER_TLS, message)
        error.nativeCode = code
        return error
    }
}

extension StaticString {
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        utf8Start.withMemoryRebound(to: CChar.self, capacity: utf8CodeUnitCount + 1, body)
    }
}
