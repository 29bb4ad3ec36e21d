/// WebSocket URIs (RFC 6455 section 3, RFC 3986): what the connection and its opening handshake need of them.

package enum URLError: Error, Equatable {
    case schemeUnknown
    case hostMissing
    case hostCharacter(UInt8)
    case addressLiteral
    case port(least: UInt16)
    case userInfo
    case foreignCredentials
    case fragment
    case pathCharacter(UInt8)
    case tooLong

    package var sentence: String {
        switch self {
        case .schemeUnknown: "the URL must begin with ws:// or wss://"
        case .hostMissing: "the URL has no host"
        case .hostCharacter(let byte): "the URL's host holds the byte \(byte); write an internationalized name in its xn-- form"
        case .addressLiteral: "the URL's IPv6 address is malformed; write it as in ws://[::1]:8080/"
        case .port(let least): "the URL's port must be a number from \(least) to 65535"
        case .userInfo: "the URL's user name or password is malformed; percent-encode what is neither letter, digit nor -._~!$&'()*+,;="
        case .foreignCredentials: "the URL names a user, but credentials are for the application to give and not for a server"
        case .fragment: "the URL has a fragment (#), which RFC 6455 section 3 forbids; write %23 for a literal #"
        case .pathCharacter(let byte): "the URL's path holds the byte \(byte); percent-encode spaces, control and non-ASCII characters"
        case .tooLong: "the URL is longer than \(URL.sizeMax) bytes"
        }
    }
}

package struct URL: Equatable {
    package let isSecure: Bool
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    package let host: [UInt8]
    package let isIPv6: Bool
    package let port: UInt16
    /// Path and query as they stand in the request line; begins with a slash.
    package let resource: [UInt8]
    /// "user:password" of the URL, percent-decoded; nil if it has none.
    package let credentials: [UInt8]?

    package static let sizeMax = 8192

    package init(parsing text: [UInt8], allowsPortZero: Bool = false) throws(URLError) {
        guard text.count <= Self.sizeMax else { throw .tooLong }
        var rest = text[...]
        if Self.removePrefix("wss://", from: &rest) {
            isSecure = true
        } else if Self.removePrefix("ws://", from: &rest) {
            isSecure = false
        } else {
            throw .schemeUnknown
        }
        let authorityEnd = rest.firstIndex { $0 == 0x2F || $0 == 0x3F || $0 == 0x23 } ?? rest.endIndex
        let authority = rest[..<authorityEnd]
        let hostStart = authority.lastIndex(of: 0x40)
        credentials = try hostStart.map { at throws(URLError) in try Self.credentials(authority[..<at]) }
        let portText: ArraySlice<UInt8>?
        (host, isIPv6, portText) = try Self.splitHost(authority[(hostStart.map { $0 + 1 } ?? authority.startIndex)...])
        port = try Self.port(portText, isSecure: isSecure, least: allowsPortZero ? 0 : 1)
        resource = try Self.resource(rest[authorityEnd...])
    }

    /// As it would be written, without the credentials.
    package var text: [UInt8] { ASCII.bytes(isSecure ? "wss://" : "ws://") + hostField + resource }

    private init(_ base: URL, port: UInt16, resource: [UInt8]) {
        (isSecure, host, isIPv6) = (base.isSecure, base.host, base.isIPv6)
        self.port = port
        self.resource = resource
        credentials = nil
    }

    /// The same with another port, without the credentials.
    package func at(port: UInt16) -> URL { URL(self, port: port, resource: resource) }

    /// Another resource of the same origin, without the credentials.
    @inline(never)
    func at(resource: [UInt8]) throws(URLError) -> URL {
        guard resource.count <= Self.sizeMax else { throw .tooLong }
        return URL(self, port: port, resource: try Self.resource(resource[...]))
    }

    /// Scheme, host and port (RFC 6454 section 4).
    package func hasSameOrigin(as other: URL) -> Bool {
        isSecure == other.isSecure && port == other.port && host.elementsEqual(other.host)
    }

    /// The Host field's value: the port only where it is not the scheme's own (RFC 9110 section 7.2), no zone (RFC 6874 section 1).
    package var hostField: [UInt8] { endpoint(unlessPort: isSecure ? 443 : 80) }

    /// Host and port.
    package var endpoint: [UInt8] { endpoint(unlessPort: 0) }

    @inline(never)
    private func endpoint(unlessPort hidden: UInt16) -> [UInt8] {
        let name = isIPv6 ? [0x5B] + host.prefix { $0 != 0x25 } + [0x5D] : host
        return port == hidden ? name : name + [0x3A] + String(port).bytes
    }

    private static func removePrefix(_ prefix: StaticString, from text: inout ArraySlice<UInt8>) -> Bool {
        guard ASCII.equalsIgnoringCase(text.prefix(prefix.utf8CodeUnitCount), prefix) else { return false }
        text.removeFirst(prefix.utf8CodeUnitCount)
        return true
    }

    /// "user:password" with percent-encoding resolved (RFC 3986 section 3.2.1); the password may be missing. A user name cannot hold a colon,
    /// nor either of them a control character (RFC 7617 section 2).
    private static func credentials(_ text: ArraySlice<UInt8>) throws(URLError) -> [UInt8] {
        let colon = text.firstIndex(of: 0x3A)
        let user = try percentDecoded(text[..<(colon ?? text.endIndex)])
        let password = try percentDecoded(colon.map { text[($0 + 1)...] } ?? [])
        let credentials = user + [0x3A] + password
        guard !text.isEmpty, BasicAuthentication.isValid(credentials), !user.contains(0x3A) else { throw .userInfo }
        return credentials
    }

    package static func percentDecoded(_ text: ArraySlice<UInt8>) throws(URLError) -> [UInt8] {
        var decoded: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: decoded.append(byte)
            // The sub-delimiters, and a colon, which may stand in a password.
            case 0x21, 0x24, 0x26...0x2C, 0x3A, 0x3B, 0x3D: decoded.append(byte)
            case 0x25:
                guard let high = rest.popFirst().flatMap(ASCII.hexDigit), let low = rest.popFirst().flatMap(ASCII.hexDigit) else {
                    throw .userInfo
                }
                decoded.append(high &<< 4 | low)
            default: throw .userInfo
            }
        }
        return decoded
    }

    package static func splitHost(
        _ authority: ArraySlice<UInt8>
    ) throws(URLError) -> (host: [UInt8], isIPv6: Bool, port: ArraySlice<UInt8>?) {
        guard let first = authority.first else { throw .hostMissing }
        if first == 0x5B {
            guard let end = authority.firstIndex(of: 0x5D) else { throw .addressLiteral }
            let address = authority[(authority.startIndex + 1)..<end]
            guard isIPv6Literal(address) else { throw .addressLiteral }
            let after = authority[(end + 1)...]
            guard after.isEmpty || after.first == 0x3A else { throw .addressLiteral }
            return ([UInt8](address), true, after.isEmpty ? nil : after.dropFirst())
        }
        let colon = authority.firstIndex(of: 0x3A)
        let host = authority[..<(colon ?? authority.endIndex)]
        guard !host.isEmpty else { throw .hostMissing }
        // RFC 3986's reg-name without percent-encoding and without the marks that no resolver takes.
        for byte in host {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: continue
            default: throw .hostCharacter(byte)
            }
        }
        guard host.count <= 253 else { throw .tooLong }
        return (host.map(ASCII.lowercased), false, colon.map { authority[($0 + 1)...] })
    }

    /// A rough check that keeps anything but an address out; the resolver's numeric parsing is the exact one. Zone names follow a %.
    private static func isIPv6Literal(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count >= 2, text.count <= 64, text.contains(0x3A) else { return false }
        var inZone = false
        for byte in text {
            switch byte {
            case 0x30...0x39, 0x41...0x46, 0x61...0x66, 0x3A, 0x2E: continue
            case 0x25 where !inZone: inZone = true
            case 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: if !inZone { return false }
            default: return false
            }
        }
        return true
    }

    private static func port(_ text: ArraySlice<UInt8>?, isSecure: Bool, least: UInt16) throws(URLError) -> UInt16 {
        guard let text, !text.isEmpty else { return isSecure ? 443 : 80 }
        guard let value = ASCII.decimal(text, max: 65535), value >= least else { throw .port(least: least) }
        return UInt16(value)
    }

    private static func resource(_ text: ArraySlice<UInt8>) throws(URLError) -> [UInt8] {
        for byte in text {
            if byte == 0x23 { throw .fragment }
            if byte <= 0x20 || byte >= 0x7F { throw .pathCharacter(byte) }
        }
        return text.first == 0x2F ? [UInt8](text) : [0x2F] + text
    }
}
