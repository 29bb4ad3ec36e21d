import Heartbeat
import WebSocket

/// All that a session needs to know, checked and typed. It does not change once a session has it.
package final class SessionConfiguration {
    package var url: URL
    /// Complete header lines of the application's own, without CRLF.
    package var headerFields: [[UInt8]] = []
    /// What a server agrees to; nil for a client.
    package var acceptance: AcceptancePolicy?
    package var subprotocols: [[UInt8]] = []
    /// For the answer's head, interim answers included.
    package var handshakeSizeMax = HTTPHead.sizeMax
    /// How many redirects an attempt follows.
    package var redirectsMax = 0
    /// For a whole attempt: resolving, connecting, TLS and the opening handshake.
    package var connectTimeout = Interval.seconds(15)
    package var closeTimeout = Interval.seconds(5)
    package var messages = MessageAssembler.Limits(messageSizeMax: 16 << 20)
    package var compression: CompressionConfiguration?
    /// Pings answered a second one by one; of more only the latest is answered when the socket is next written to.
    package var pongsPerSecondMax = 100
    package var heartbeat = HeartbeatConfiguration()
    package var opening: OpeningScript?
    package var reconnects = true
    package var backoff = Backoff.Configuration(base: .milliseconds(500), cap: .seconds(30), attemptsMax: 0)
    /// A connection that lasted this long makes earlier failures count no more.
    package var stableAfter = Interval.seconds(10)
    /// Whether each attempt waits for `Session.proceed`, and how long.
    package var asksBeforeConnect = false
    package var retry = RetryPolicy()
    package var gate = HostGate.Policy()
    package var beforeConnectTimeout = Interval.seconds(10)
    /// For a step of the opening script that does not say otherwise.
    package var scriptTimeout = Interval.seconds(10)
    /// The age at which a connection gives way to a new one.
    package var rotateAfter: Interval?
    /// How long after the last message sent on it the old connection stands, for the answers.
    package var rotateLinger = Interval.seconds(1)
    package var rotateOnNotice = RotationNotice.rule
    /// Tells messages apart while two connections overlap; nil if nothing does.
    package var duplicateKey: DuplicateKey?
    /// A changed address or route has the connection probed, and an attempt that waits made.
    package var watchesNetwork = true

    package var role: Role { acceptance == nil ? .client : .server }

    package init(url: URL) {
        self.url = url
    }
}

/// What of the server's has the next connection opened at once.
package enum RotationNotice: Int {
    case off
    /// Advice that a heartbeat rule finds.
    case rule
    /// Close codes 1001 and 1012 too.
    case all
}

/// The offer of permessage-deflate, and what carries it out.
package struct CompressionConfiguration {
    package var offer: DeflateParameters
    /// Smaller messages are sent uncompressed.
    package var threshold: Int
    package var provider: any CompressionProvider

    package init(offer: DeflateParameters, threshold: Int, provider: any CompressionProvider) {
        self.offer = offer
        self.threshold = threshold
        self.provider = provider
    }

    /// The streams of a connection that agreed on `parameters`; nil if there is no memory for them. Zlib does not write the smallest window
    /// of all; a connection that agreed on it sends uncompressed, as any sender may.
    func streams(_ parameters: DeflateParameters, _ role: Role) -> (decompression: Decompression, compression: Compression?)? {
        let server = (bits: parameters.serverWindowBits, keepsContext: parameters.serverContextTakeover)
        let client = (bits: parameters.clientWindowBits, keepsContext: parameters.clientContextTakeover)
        let (ours, theirs) = role == .client ? (client, server) : (server, client)
        guard let inflater = provider.inflater(windowBits: theirs.bits) else { return nil }
        let decompression = Decompression(inflater: inflater, keepsContext: theirs.keepsContext)
        guard ours.bits > 8 else { return (decompression, nil) }
        guard let deflater = provider.deflater(windowBits: ours.bits) else { return nil }
        let compression = Compression(deflater: deflater, windowBits: ours.bits, keepsContext: ours.keepsContext, threshold: threshold)
        return (decompression, compression)
    }
}
