/// An HTTP answer other than 101: what it says of itself, and the first bytes of its body.
package struct HTTPRefusal: Equatable {
    package let status: UInt16
    package internal(set) var body: [UInt8]
    /// Where else to ask, for any status; nil unless there is exactly one such field.
    package let location: [UInt8]?
    package let retryAfterMs: UInt64?

    package init(status: UInt16, body: [UInt8] = [], location: [UInt8]? = nil, retryAfterMs: UInt64? = nil) {
        self.status = status
        self.body = body
        self.location = location
        self.retryAfterMs = retryAfterMs
    }

    init(head: HTTPHead, unixTime: Int64) {
        self.init(
            status: head.status, location: head.fields.onlyValue("location").map { [UInt8]($0) },
            retryAfterMs: head.fields.values("retry-after").first.flatMap { RetryAfter.milliseconds($0, unixTime: unixTime) })
    }

    /// Where to go, if the status asks to go there with the same method (RFC 9110 section 15.4; a GET stays a GET with all of these).
    package var redirection: [UInt8]? {
        switch status {
        case 301, 302, 303, 307, 308: location
        default: nil
        }
    }

    /// What the server answered, as the object of "the server ...".
    var phrase: String {
        var phrase = "refused the opening handshake with HTTP status \(status)"
        if let redirection { phrase += " and points to \(Self.shown(redirection)); open that URL, or set redirects.max to follow" }
        if let retryAfterMs { phrase += " and asks to wait \(retryAfterMs / 1000) s (Retry-After)" }
        return phrase
    }

    /// A received reference for an error text: printable ASCII of bounded length, without query and user information. A server can have
    /// taken those from our own request, and they may be secret.
    static func shown(_ reference: [UInt8]) -> String {
        let sizeMax = 100
        let visible = withoutUserInformation(reference.prefix { $0 != 0x3F && $0 != 0x23 })
        let bytes = visible.prefix(sizeMax).map { $0 > 0x20 && $0 < 0x7F ? $0 : 0x3F }
        let isCut = visible.count > sizeMax || visible.count < reference.count
        return "'" + String(utf8: bytes) + (isCut ? "..." : "") + "'"
    }

    private static func withoutUserInformation(_ reference: ArraySlice<UInt8>) -> [UInt8] {
        guard let slash = reference.firstIndex(of: 0x2F), reference[slash...].starts(with: [0x2F, 0x2F]) else { return [UInt8](reference) }
        let authority = reference[(slash + 2)...].prefix { $0 != 0x2F }
        guard let at = authority.lastIndex(of: 0x40) else { return [UInt8](reference) }
        return [UInt8](reference[..<authority.startIndex] + reference[(at + 1)...])
    }

    /// True for a status that time may heal: the server or proxy has trouble, or has had too much of us.
    package static func mayPass(_ status: UInt16) -> Bool {
        switch status {
        case 408, 425, 429, 500...599: true
        default: false
        }
    }
}
