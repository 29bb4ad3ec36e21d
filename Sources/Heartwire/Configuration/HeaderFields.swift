import CHeartwire
import WebSocket

/// The application's own header fields for the opening handshake, kept as complete lines and checked so that none can inject another.
struct HeaderFields {
    private(set) var lines: [[UInt8]] = []
    private var size = 0

    static let countMax = 64
    static let sizeMax = 32768

    /// Fields that the handshake itself writes, and those that would announce a body or change how the connection is used.
    private static let reserved: [StaticString] = [
        "host", "upgrade", "connection", "content-length", "transfer-encoding", "te", "trailer", "expect", "keep-alive", "proxy-connection",
        "proxy-authorization",
    ]

    mutating func add(name: [UInt8], value: [UInt8]) throws(ErrorDetails) {
        let shown = String(utf8: name.prefix(40))
        guard ASCII.isToken(name) else {
            throw Self.error("the header name '\(shown)' is not an RFC 9110 token")
        }
        guard value.allSatisfy(ASCII.isFieldValueCharacter) else {
            throw Self.error("the value of header '\(shown)' holds a control character")
        }
        let isHandshakes = ASCII.equalsIgnoringCase(name.prefix(14), "sec-websocket-")
        guard !isHandshakes && !Self.reserved.contains(where: { ASCII.equalsIgnoringCase(name, $0) }) else {
            throw Self.error("the header '\(shown)' belongs to the opening handshake, which the library writes\(Self.advice(name))")
        }
        let line = name + ASCII.bytes(": ") + value
        guard lines.count < Self.countMax, size + line.count <= Self.sizeMax else {
            let message = "at most \(Self.countMax) header fields of \(Self.sizeMax) bytes in all are allowed"
            throw ErrorDetails(HW_E_TOO_LARGE, HW_LAYER_CONFIGURATION, message)
        }
        lines.append(line)
        size += line.count
    }

    /// True if a field of this name has been added.
    func contains(_ name: StaticString) -> Bool {
        lines.contains { line in ASCII.equalsIgnoringCase(Self.name(line), name) }
    }

    mutating func removeAll(named name: [UInt8]) {
        let wanted = name.map(ASCII.lowercased)
        lines.removeAll { line in Self.name(line).map(ASCII.lowercased).elementsEqual(wanted) }
        size = lines.reduce(0) { $0 + $1.count }
    }

    private static func name(_ line: [UInt8]) -> ArraySlice<UInt8> { line.prefix { $0 != 0x3A } }

    private static func advice(_ name: [UInt8]) -> String {
        if ASCII.equalsIgnoringCase(name, "host") { return "; it is taken from the URL" }
        if ASCII.equalsIgnoringCase(name, "proxy-authorization") { return "; give the proxy's user name in the property 'proxy'" }
        if ASCII.equalsIgnoringCase(name, "sec-websocket-protocol") { return "; set the property 'subprotocols'" }
        return ""
    }

    private static func error(_ message: String) -> ErrorDetails {
        ErrorDetails(HW_E_HEADER, HW_LAYER_CONFIGURATION, message)
    }
}
