/// References relative to a WebSocket URL (RFC 3986 section 5), as redirects hold them.
extension URL {
    /// The URL that `reference` means where this one is the base. http stands for ws and https for wss; a fragment is left out. A user name is
    /// refused: credentials are for the application to give, not for a server (RFC 9110 section 4.2.4).
    package func resolve(_ reference: [UInt8]) throws(URLError) -> URL {
        guard reference.count <= Self.sizeMax else { throw .tooLong }
        let text = reference.prefix { $0 != 0x23 }
        if let scheme = Self.scheme(text) {
            return try Self.absolute(scheme, text[(scheme.endIndex + 1)...])
        }
        if text.starts(with: [0x2F, 0x2F]) { return try Self.absolute(ASCII.bytes(isSecure ? "wss" : "ws")[...], text) }
        let queryStart = text.firstIndex(of: 0x3F) ?? text.endIndex
        let path = text[..<queryStart]
        let query = text[queryStart...]
        if path.isEmpty { return try at(resource: [UInt8](self.path) + (query.isEmpty ? self.query : query)) }
        if path.first == 0x2F { return try at(resource: Self.withoutDotSegments([UInt8](path)) + query) }
        let folder = self.path.prefix(through: self.path.lastIndex(of: 0x2F) ?? self.path.startIndex)
        return try at(resource: Self.withoutDotSegments([UInt8](folder) + path) + query)
    }

    private var path: ArraySlice<UInt8> { resource.prefix { $0 != 0x3F } }
    private var query: ArraySlice<UInt8> { resource.drop { $0 != 0x3F } }

    /// What stands before the first colon, if it can be a scheme (section 3.1).
    private static func scheme(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let colon = text.firstIndex(of: 0x3A), let first = text.first, first | 0x20 >= 0x61, first | 0x20 <= 0x7A else { return nil }
        let scheme = text[..<colon]
        let isScheme = scheme.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x2E: true
            default: false
            }
        }
        return isScheme ? scheme : nil
    }

    /// `rest` begins with the two slashes before the authority.
    private static func absolute(_ scheme: ArraySlice<UInt8>, _ rest: ArraySlice<UInt8>) throws(URLError) -> URL {
        var text: [UInt8]
        if ASCII.equalsIgnoringCase(scheme, "https") {
            text = ASCII.bytes("wss:") + rest
        } else if ASCII.equalsIgnoringCase(scheme, "http") {
            text = ASCII.bytes("ws:") + rest
        } else {
            text = scheme + [0x3A] + rest
        }
        let url = try URL(parsing: text)
        guard url.credentials == nil else { throw .foreignCredentials }
        return try url.at(resource: withoutDotSegments([UInt8](url.path)) + url.query)
    }

    /// Section 5.2.4, for a path that begins with a slash: "." goes, ".." goes and takes the segment before it along.
    private static func withoutDotSegments(_ path: [UInt8]) -> [UInt8] {
        let dot: [UInt8] = [0x2E]
        var kept: [[UInt8]] = []
        let segments = ASCII.split(path[...], at: 0x2F).dropFirst()
        for (index, segment) in segments.enumerated() {
            let isUp = segment.elementsEqual(dot + dot)
            if isUp { _ = kept.popLast() }
            if !isUp && !segment.elementsEqual(dot) {
                kept.append([UInt8](segment))
            } else if index == segments.count - 1 {
                // What ends in a dot segment is a folder.
                kept.append([])
            }
        }
        return [0x2F] + ASCII.joined(kept, separator: "/")
    }
}
