import Heartbeat
import WebSocket

/// All that a session needs to know, checked and typed.
package struct SessionConfiguration {
    package var url: URL
    /// Complete header lines of the application's own, without CRLF.
    package var headerFields: [[UInt8]] = []
    package var subprotocols: [[UInt8]] = []
    /// For a whole attempt: resolving, connecting, TLS and the opening handshake.
    package var connectTimeout = Interval.seconds(15)
    package var closeTimeout = Interval.seconds(5)
    package var messageSizeMax = 16 << 20
    package var ping: PingSchedule.Configuration?
    package var beat: PayloadBeat.Configuration?
    package var reconnects = true
    package var backoff = Backoff.Configuration(base: .milliseconds(500), cap: .seconds(30), attemptsMax: 0)
    /// A connection that lasted this long makes earlier failures count no more.
    package var stableAfter = Interval.seconds(10)

    package init(url: URL) {
        self.url = url
    }
}
