/// The Basic authentication scheme (RFC 7617).
package enum BasicAuthentication {
    /// True for "user:password" without control characters; only the password may hold a further colon.
    package static func isValid(_ credentials: [UInt8]) -> Bool {
        credentials.contains(0x3A) && credentials.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// The header line that carries the credentials.
    package static func authorization(_ credentials: [UInt8]) -> [UInt8] {
        ASCII.bytes("Authorization: Basic ") + Base64.encode(credentials)
    }
}
