import WebSocket

/// What an attempt goes by after it was asked about.
package final class PreparedAttempt {
    /// Instead of the configured one.
    package let url: URL?
    /// All header lines of the application's own, without CRLF.
    package let headerFields: [[UInt8]]
    /// There is nothing to attempt with.
    package let failure: [UInt8]?

    package init(url: URL?, headerFields: [[UInt8]], failure: [UInt8]?) {
        self.url = url
        self.headerFields = headerFields
        self.failure = failure
    }
}
