import WebSocket

/// What a server agrees to before its application is asked.
package struct AcceptancePolicy {
    /// The origins whose pages may connect; empty for all. A client that is no browser names none, and is let in (RFC 6455 section 10.2).
    package var origins: [[UInt8]] = []
    /// Whether the application is asked about each client.
    package var asks = false

    package init() {}

    func allows(_ origin: [UInt8]?) -> Bool {
        guard let origin, !origins.isEmpty else { return true }
        // Scheme and host of an origin are written in lower case (RFC 6454 section 6.1), but not by everybody.
        return origins.contains { allowed in
            allowed.count == origin.count && zip(allowed, origin).allSatisfy { ASCII.lowercased($0) == ASCII.lowercased($1) }
        }
    }
}
