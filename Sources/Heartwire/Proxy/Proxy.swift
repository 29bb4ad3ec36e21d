import WebSocket

/// What is wrong with a proxy's URL. The sentences never show the value, which may hold a password.
enum ProxySettingError: Error, Equatable {
    case scheme
    case secureProxy
    case host
    case port
    case path
    case credentials
    case credentialsSize

    var sentence: String {
        switch self {
        case .scheme: "it takes env, or a URL that begins with http://, socks5:// or socks5h://; to set none, leave it empty"
        case .secureProxy: "TLS to the proxy itself (https://) is not supported; TLS to the server goes through an http:// proxy unread"
        case .host: "its host is missing or malformed"
        case .port: "its port must be a number from 1 to 65535"
        case .path: "nothing may follow its host and port; in a user name or password, write %2F for /, %3F for ? and %23 for #"
        case .credentials: "in its user name and password, percent-encode what is neither letter, digit nor -._~!$&'()*+,;="
        case .credentialsSize: "SOCKS5 takes a user name of 1 to 255 bytes and a password of at most 255 (RFC 1929)"
        }
    }
}

/// A proxy as its URL names it: "http://[user:password@]host[:port]", the same with socks5 or socks5h.
struct Proxy: Equatable {
    enum Kind: Equatable {
        case http
        case socks5
    }

    struct Credentials: Equatable {
        let user: [UInt8]
        let password: [UInt8]

        /// "user:password".
        var text: [UInt8] { user + [0x3A] + password }
    }

    let kind: Kind
    let host: [UInt8]
    let port: UInt16
    let credentials: Credentials?

    /// Of all kinds, as with curl.
    static let defaultPort: UInt16 = 1080

    init(parsing text: [UInt8]) throws(ProxySettingError) {
        guard !Self.begins(text, "https://") else { throw .secureProxy }
        guard let scheme = Self.schemes.first(where: { Self.begins(text, $0.prefix) }) else { throw .scheme }
        kind = scheme.kind
        let rest = text[scheme.prefix.utf8CodeUnitCount...]
        let authorityEnd = rest.firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? rest.endIndex
        guard rest[authorityEnd...].allSatisfy({ $0 == 0x2F }), rest.endIndex - authorityEnd <= 1 else { throw .path }
        let authority = rest[..<authorityEnd]
        let at = authority.lastIndex(of: 0x40)
        if let at { credentials = try Self.credentials(authority[..<at], kind) } else { credentials = nil }
        (host, port) = try Self.address(authority[(at.map { $0 + 1 } ?? authority.startIndex)...])
    }

    /// True if `text` names a scheme, known or not.
    static func hasScheme(_ text: [UInt8]) -> Bool {
        text.indices.contains { text[$0...].starts(with: ASCII.bytes("://")) }
    }

    private static let schemes: [(prefix: StaticString, kind: Kind)] = [
        ("http://", .http), ("socks5://", .socks5), ("socks5h://", .socks5),
    ]

    private static func begins(_ text: [UInt8], _ prefix: StaticString) -> Bool {
        ASCII.equalsIgnoringCase(text.prefix(prefix.utf8CodeUnitCount), prefix)
    }

    private static func address(_ text: ArraySlice<UInt8>) throws(ProxySettingError) -> (host: [UInt8], port: UInt16) {
        let host: [UInt8]
        let portText: ArraySlice<UInt8>?
        do throws(URLError) {
            (host, _, portText) = try URL.splitHost(text)
        } catch {
            throw .host
        }
        guard let portText, !portText.isEmpty else { return (host, defaultPort) }
        guard let port = ASCII.decimal(portText, max: 65535), port > 0 else { throw .port }
        return (host, UInt16(port))
    }

    private static func credentials(_ text: ArraySlice<UInt8>, _ kind: Kind) throws(ProxySettingError) -> Credentials {
        let colon = text.firstIndex(of: 0x3A)
        let user: [UInt8]
        let password: [UInt8]
        do throws(URLError) {
            user = try URL.percentDecoded(text[..<(colon ?? text.endIndex)])
            password = try URL.percentDecoded(colon.map { text[($0 + 1)...] } ?? [])
        } catch {
            throw .credentials
        }
        let credentials = Credentials(user: user, password: password)
        // A colon would end the user name of Basic authentication.
        let isValid = !text.isEmpty && BasicAuthentication.isValid(credentials.text) && (kind != .http || !user.contains(0x3A))
        guard isValid else { throw .credentials }
        guard kind != .socks5 || ((1...255).contains(user.count) && password.count <= 255) else { throw .credentialsSize }
        return credentials
    }
}
