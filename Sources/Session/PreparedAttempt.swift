import WebSocket

/// What an attempt goes by after it was asked about.
package final class PreparedAttempt {
    /// Instead of the configured one.
    package let url: URL?
    /// Header lines without CRLF: the configured ones that are not replaced, and those given for this attempt.
    package let configuredFields: [[UInt8]]
    package let ownFields: [[UInt8]]
    /// There is nothing to attempt with.
    package let failure: [UInt8]?

    package init(url: URL? = nil, configuredFields: [[UInt8]] = [], ownFields: [[UInt8]] = [], failure: [UInt8]? = nil) {
        self.url = url
        self.configuredFields = configuredFields
        self.ownFields = ownFields
        self.failure = failure
    }
}
