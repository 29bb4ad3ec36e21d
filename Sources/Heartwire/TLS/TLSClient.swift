import CHeartwire
import CSystem
import WebSocket

/// TLS as one managed connection wants it: the shared context, what is its own, and the sessions to resume when it connects again.
///
/// A session is never shared among connections, and goes only to the server that it comes from. The I/O thread alone uses them.
final class TLSClient: @unchecked Sendable {
    let context: TLSContext
    let pins: PinList
    /// Asked for and verified instead of the URL's host; empty if not set.
    private let serverName: [UInt8]
    /// Where the application wants to connect to, as opposed to where it is redirected. More than one if it names a URL for each attempt.
    private var ownURLs: [URL]
    /// The latest last.
    private var kept: [Resumable] = []

    /// One for the server and one for each that it may redirect to in practice.
    private static let keptMax = 4
    /// Two connections at a time, each with one before it whose sessions may be taken up.
    private static let ownURLsMax = 4

    /// A session with what is needed to trust it again.
    final class Resumable {
        let session: OpaquePointer
        let url: URL
        /// The pins of the chain that was verified when the session began; empty if no pins are set.
        let chainPins: [[UInt8]]

        /// Takes over the caller's reference to the session.
        init(session: OpaquePointer, url: URL, chainPins: [[UInt8]]) {
            self.session = session
            self.url = url
            self.chainPins = chainPins
        }

        deinit {
            SSL_SESSION_free(session)
        }

        /// The server proves itself by the session alone, so that it may not outlive the server's certificate.
        var hasValidCertificate: Bool {
            guard let certificate = SSL_SESSION_get0_peer(session) else { return false }
            return !CertificateVerification.isExpired(certificate)
        }
    }

    init(_ settings: Config.Settings, url: URL, contexts: TLSContexts) throws(ErrorDetails) {
        ownURLs = [url]
        serverName = try settings.cString(.tlsServerName)
        guard let pins = PinList(settings.bytes(.tlsPins)) else {
            let form = "it takes sha256/ and the Base64 of a public key's SHA-256, 44 characters, separated by commas"
            let shown = String(utf8: settings.bytes(.tlsPins).prefix(60))
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'tls.pins' cannot be '\(shown)'; \(form)")
        }
        self.pins = pins
        context = try contexts.context(TLSSettings(settings))
    }

    /// False for a server that another one redirected to: it gets no certificate of ours, and must go by its own name.
    func isOwn(_ url: URL) -> Bool {
        ownURLs.contains { Self.isSameServer($0, url) }
    }

    /// The application has named another URL to connect to.
    func adopt(_ url: URL) {
        ownURLs.removeAll { Self.isSameServer($0, url) }
        if ownURLs.count == Self.ownURLsMax { ownURLs.removeFirst() }
        ownURLs.append(url)
    }

    /// The name to ask the server for and to find in its certificate.
    func name(for url: URL) -> [UInt8] {
        serverName.isEmpty || !isOwn(url) ? url.host : serverName
    }

    /// The session for a server, which is given out once: a ticket that is used again tells onlookers that it is the same client
    /// (RFC 8446 appendix C.4).
    func takeSession(for url: URL) -> Resumable? {
        guard let index = kept.firstIndex(where: { Self.isSameServer($0.url, url) }) else { return nil }
        let session = kept.remove(at: index)
        return session.hasValidCertificate ? session : nil
    }

    func keep(_ session: Resumable) {
        kept.removeAll { Self.isSameServer($0.url, session.url) }
        if kept.count >= Self.keptMax { kept.removeFirst() }
        kept.append(session)
    }

    private static func isSameServer(_ a: URL, _ b: URL) -> Bool {
        a.port == b.port && a.host.elementsEqual(b.host)
    }

    /// What each connection that is not verified has to be warned of; nil if all is verified, or there is nothing to verify.
    func warning(for url: URL) -> String? {
        guard url.isSecure, !context.verifies else { return nil }
        let name = shown(self.name(for: url))
        let rest = pins.isEmpty ? "anyone can pose as '\(name)'" : "its key is one of tls.pins, nothing else of it is known"
        return "the server's certificate was not verified, neither its authority, nor its name, nor its dates, as tls.verify is false: "
            + rest
    }
}

/// A host name for an error text, which a long one must not crowd out.
func shown(_ name: [UInt8]) -> String {
    let max = 60
    return String(utf8: name.prefix(max)) + (name.count > max ? "..." : "")
}
