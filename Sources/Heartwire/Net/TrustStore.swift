import CSystem
import Session

/// The certificates of the authorities to trust: a file that the application names, or the system's, found at run time because a library
/// that is carried from one distribution to another cannot know where they lie.
enum TrustStore {
    /// Environment variables first, then where OpenSSL was built to look, then the known places: Debian and Ubuntu, Fedora and RHEL, openSUSE,
    /// Alpine and macOS, FreeBSD.
    private static let files: [StaticString] = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
        "/usr/local/share/certs/ca-root-nss.crt",
    ]

    /// Loads the file at `path`. The failure says what is wrong with it.
    static func load(file path: [UInt8], into context: OpaquePointer) -> TransportFailure? {
        let name = path.map { CChar(bitPattern: $0) } + [0]
        ERR_clear_error()
        if SSL_CTX_load_verify_file(context, name) == 1 { return nil }
        let reason = TLSError.lastReason() ?? "it holds no certificate"
        let text = String(decoding: path, as: UTF8.self)
        return TransportFailure(
            kind: .certificate, nativeCode: 0, sentence: "tls.ca_file '\(text)' could not be loaded: \(reason)")
    }

    static func loadSystem(into context: OpaquePointer) -> TransportFailure? {
        var tried: [String] = []
        for (variable, isFile) in [(X509_get_default_cert_file_env(), true), (X509_get_default_cert_dir_env(), false)] {
            guard let variable, let value = getenv(variable), value.pointee != 0 else { continue }
            if load(value, isFile: isFile, context, &tried) { return nil }
        }
        if let path = X509_get_default_cert_file(), load(path, isFile: true, context, &tried) { return nil }
        for file in files where file.withCString({ load($0, isFile: true, context, &tried) }) { return nil }
        if let path = X509_get_default_cert_dir(), load(path, isFile: false, context, &tried) { return nil }
        let paths = tried.joined(separator: ", ")
        return TransportFailure(
            kind: .certificate, nativeCode: 0,
            sentence: "no trusted certificates were found; tried \(paths); install ca-certificates or set tls.ca_file")
    }

    private static func load(
        _ path: UnsafePointer<CChar>, isFile: Bool, _ context: OpaquePointer, _ tried: inout [String]
    ) -> Bool {
        let text = String(cString: path)
        if tried.contains(where: { Array($0.utf8) == Array(text.utf8) }) { return false }
        tried.append(text)
        guard access(path, R_OK) == 0 else { return false }
        defer { ERR_clear_error() }
        return (isFile ? SSL_CTX_load_verify_file(context, path) : SSL_CTX_load_verify_dir(context, path)) == 1
    }
}

extension StaticString {
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        utf8Start.withMemoryRebound(to: CChar.self, capacity: utf8CodeUnitCount + 1, body)
    }
}
