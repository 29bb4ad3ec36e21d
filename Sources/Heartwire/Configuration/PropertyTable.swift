import CHeartwire
import WebSocket

/// One property of a configuration, declared once: validation, error texts, `hw_config_describe`, the bindings and the docs come from here.
struct Property {
    enum Kind {
        case boolean
        case integer(ClosedRange<Int64>)
        /// In milliseconds. Zero stands for off where the range begins with it.
        case duration(ClosedRange<Int64>)
        /// In bytes.
        case size(ClosedRange<Int64>)
        /// One of the words of the range.
        case choice
        case text
        case bytes
        /// Text in PEM form, which may be long: bytes for the application.
        case pem
    }

    let id: PropertyId
    let name: StaticString
    let kind: Kind
    let defaultValue: StaticString
    let range: StaticString
    let unit: StaticString
    let doc: StaticString

    /// A call takes less room than constant data with its relocations does, or than the same written out for each property.
    @inline(never)
    init(
        id: PropertyId, name: StaticString, kind: Kind, defaultValue: StaticString, range: StaticString, unit: StaticString,
        doc: StaticString
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.defaultValue = defaultValue
        self.range = range
        self.unit = unit
        self.doc = doc
    }
}

extension Property {
    /// The version that brought it.
    var since: StaticString { "0.1.0" }

    /// Of a choice: what it is one of.
    var words: [[UInt8]] { ASCII.words(range).filter { $0 != [0x7C] } }

    /// What stands before the range in an error text: how a value is written.
    var form: StaticString {
        switch kind {
        case .duration: "a duration with its unit, such as 250ms, 20s or 5m, in "
        case .size: "bytes, or a size such as 64KiB or 16MiB, in "
        case .integer: "a number in "
        case .boolean, .choice, .text, .bytes, .pem: ""
        }
    }

    /// True for values that no error text may show.
    var isSecret: Bool {
        if case .pem = kind { return true }
        return [.basicAuth, .proxy, .tlsKeyPassword, .listenerMonitorToken].contains(id)
    }
}

/// The properties in the order of the table.
enum PropertyId: Int, CaseIterable {
    case preset, presetParameters
    case pingInterval, pingIntervalFair, pingIntervalPoor, pingTimeout, pingMissedMax
    case heartbeatInterval, heartbeatText, heartbeatBinary, heartbeatWhen
    case heartbeatConsume, heartbeatAdaptive, heartbeatFailureThreshold, heartbeatOnFailure, heartbeatCloseCode, heartbeatCloseReason
    case responseTimeout, responseTarget, responseWarning, responseCritical
    case liveness, watchOnSilence
    case healthWarningIntervals, healthErrorIntervals, healthRecoveryBeats
    case qualityExcellentMean, qualityExcellentVariance, qualityGoodMean, qualityGoodVariance, qualityFairMean
    case detectorThread
    case connectTimeout, closeTimeout
    case handshakeBytesMax, redirectsMax, basicAuth
    case messageBytesMax, messagePartBytes, messageFragmentBytes, frameBytesMax
    case pongPerSecondMax
    case compression, compressionThresholdBytes, compressionClientContextTakeover, compressionServerContextTakeover
    case compressionClientWindowBits, compressionServerWindowBits, compressionMemoryLevel
    case reconnectEnabled, reconnectBase, reconnectFactor, reconnectCap, reconnectJitter, reconnectAttemptsMax, reconnectStableAfter
    case reconnectFinalCodes, reconnectRetryCodes, reconnectRetryAfterMax
    case circuitFailuresMax, circuitWindow, circuitOpenFor, attemptsPerMinuteMax
    case beforeConnectTimeout, scriptTimeout
    case queueMessagesMax, queueBytesMax, queueOverflow, queueTTL
    case rotateAfter, rotateLinger, rotateOnNotice, rotateDuplicateKey
    case networkWatch
    case listenerOrigins, listenerConnectionsMax
    case listenerMetrics, listenerMonitor, listenerMonitorToken
    case broadcastHeartbeat, broadcastInterval, broadcastTemplate
    case delivery, inboxMessagesMax, inboxBytesMax, inboxOverflow
    case subprotocols
    case proxy
    case tlsCAFile, tlsCADirectory, tlsCAPEM
    case tlsCertificateFile, tlsCertificatePEM, tlsKeyFile, tlsKeyPEM, tlsKeyPassword
    case tlsPins, tlsServerName, tlsVersionMin, tlsVerify
    case metricsName
}

enum PropertyTable {
    static let day: Int64 = 86_400_000
    static let gibibyte: Int64 = 1 << 30

    static let properties: [Property] =
        heartbeatProperties + connectionProperties + lifeProperties + listenerProperties + deliveryAndTLSProperties

    private static let connectionProperties: [Property] = [
        Property(
            id: .connectTimeout, name: "connect.timeout", kind: .duration(1...day), defaultValue: "15s", range: "1ms .. 24h",
            unit: "duration",
            doc: "For a whole attempt: resolving, connecting to any of the addresses, proxy, TLS and the opening handshake."),
        Property(
            id: .closeTimeout, name: "close.timeout", kind: .duration(1...day), defaultValue: "5s", range: "1ms .. 24h",
            unit: "duration", doc: "How long the close handshake may take before the connection is cut."),
        Property(
            id: .handshakeBytesMax, name: "handshake.bytes_max", kind: .size(1024...16_777_216), defaultValue: "64KiB",
            range: "1KiB .. 16MiB", unit: "bytes",
            doc: "The largest answer head to accept in the opening handshake, interim answers included."),
        Property(
            id: .redirectsMax, name: "redirects.max", kind: .integer(0...20), defaultValue: "0", range: "0 .. 20", unit: "redirects",
            doc: "HTTP redirects an attempt follows, never from wss to ws; another origin gets no headers but Origin and User-Agent."),
        Property(
            id: .basicAuth, name: "basic_auth", kind: .text, defaultValue: "", range: "user:password", unit: "",
            doc: "Credentials for Basic authentication, instead of those in the URL or an Authorization header."),
        Property(
            id: .messageBytesMax, name: "message.bytes_max", kind: .size(1...gibibyte), defaultValue: "16MiB", range: "1 .. 1GiB",
            unit: "bytes", doc: "The largest message to receive, inflated; a larger one closes the connection with 1009."),
        Property(
            id: .messagePartBytes, name: "message.part_bytes", kind: .size(0...gibibyte), defaultValue: "0", range: "0 .. 1GiB",
            unit: "bytes", doc: "Larger messages are delivered in parts of at most this size, at least 1KiB, as they arrive; 0: whole."),
        Property(
            id: .messageFragmentBytes, name: "message.fragment_bytes", kind: .size(125...gibibyte), defaultValue: "64KiB",
            range: "125 .. 1GiB", unit: "bytes",
            doc: "Larger messages are sent in fragments of this size, so that pings and pongs go out between them."),
        Property(
            id: .frameBytesMax, name: "frame.bytes_max", kind: .size(0...gibibyte), defaultValue: "0", range: "0 .. 1GiB", unit: "bytes",
            doc: "The largest data frame to receive, a larger one closes the connection with 1009; 0: as message.bytes_max."),
        Property(
            id: .pongPerSecondMax, name: "pong.per_second_max", kind: .integer(1...1_000_000), defaultValue: "100", range: "1 .. 1000000",
            unit: "pongs", doc: "Pings answered one by one in a second; of a flood beyond it only the latest is answered."),
        Property(
            id: .compression, name: "compression", kind: .choice, defaultValue: "off", range: "off | on", unit: "",
            doc: "Whether to offer permessage-deflate; it costs up to 300 KiB of memory a connection. Needs libz.so.1 at run time."),
        Property(
            id: .compressionThresholdBytes, name: "compression.threshold_bytes", kind: .size(0...gibibyte), defaultValue: "128",
            range: "0 .. 1GiB", unit: "bytes", doc: "Smaller messages are sent uncompressed."),
        Property(
            id: .compressionClientContextTakeover, name: "compression.client_context_takeover", kind: .boolean, defaultValue: "true",
            range: "true | false", unit: "",
            doc: "Whether messages we send may refer to earlier ones: smaller messages, more memory on both sides."),
        Property(
            id: .compressionServerContextTakeover, name: "compression.server_context_takeover", kind: .boolean, defaultValue: "true",
            range: "true | false", unit: "", doc: "The same for messages we receive; a server that insists otherwise is refused."),
        Property(
            id: .compressionClientWindowBits, name: "compression.client_window_bits", kind: .integer(9...15), defaultValue: "15",
            range: "9 .. 15", unit: "bits", doc: "Window for messages we send: 2 to this power in bytes; a server may ask for less."),
        Property(
            id: .compressionServerWindowBits, name: "compression.server_window_bits", kind: .integer(9...15), defaultValue: "15",
            range: "9 .. 15", unit: "bits",
            doc: "Window for messages we receive; below 15 a server that compresses with a larger one is refused."),
        Property(
            id: .compressionMemoryLevel, name: "compression.memory_level", kind: .integer(1...9), defaultValue: "8", range: "1 .. 9",
            unit: "", doc: "zlib's memory for compressing, 2 to this power times 512 bytes, beside four windows."),
    ]

    private static let deliveryAndTLSProperties: [Property] = [
        Property(
            id: .delivery, name: "delivery", kind: .choice, defaultValue: "dispatcher",
            range: "dispatcher | inline | inbox", unit: "",
            doc: "Where callbacks run: on the dispatcher's thread, on the I/O thread (must not block), or nowhere, with an inbox."),
        Property(
            id: .inboxMessagesMax, name: "inbox.messages_max", kind: .integer(1...10_000_000), defaultValue: "65536",
            range: "1 .. 10000000", unit: "messages", doc: "Received messages that may wait for the application; one read may go beyond."),
        Property(
            id: .inboxBytesMax, name: "inbox.bytes_max", kind: .size(1...gibibyte), defaultValue: "16MiB", range: "1 .. 1GiB",
            unit: "bytes", doc: "Received bytes that may wait for the application; one read or message may go beyond."),
        Property(
            id: .inboxOverflow, name: "inbox.overflow", kind: .choice,
            defaultValue: "pause", range: "pause | drop_oldest | drop_newest | close", unit: "",
            doc: "At the limit: stop reading until half is taken, drop messages, or close and reconnect. Own pings go on."),
        Property(
            id: .subprotocols, name: "subprotocols", kind: .text, defaultValue: "", range: "tokens separated by commas", unit: "",
            doc: "Subprotocols to offer, in order of preference."),
        Property(
            id: .proxy, name: "proxy", kind: .text, defaultValue: "",
            range: "env | http://[user:password@]host[:port] | socks5://...", unit: "",
            doc: "HTTP (CONNECT) or SOCKS5 proxy, port 1080 if none is given; env: as the environment (https_proxy, no_proxy, ...) says."),
        Property(
            id: .tlsCAFile, name: "tls.ca_file", kind: .text, defaultValue: "", range: "path of a PEM file", unit: "",
            doc: "Certificates of the authorities to trust instead of the system's. A listener demands certificates of its clients then."),
        Property(
            id: .tlsCADirectory, name: "tls.ca_dir", kind: .text, defaultValue: "", range: "path of a directory of PEM files", unit: "",
            doc: "As tls.ca_file, from every file of a directory; the files need no particular names."),
        Property(
            id: .tlsCAPEM, name: "tls.ca_pem", kind: .pem, defaultValue: "", range: "PEM, at most 4MiB", unit: "",
            doc: "As tls.ca_file, in memory. All that tls.ca_file, tls.ca_dir and tls.ca_pem give is trusted."),
        Property(
            id: .tlsCertificateFile, name: "tls.certificate_file", kind: .text, defaultValue: "", range: "path of a PEM file", unit: "",
            doc: "This end's own certificate, then those up to its authority; the key may be in the same file. A wss listener needs it."),
        Property(
            id: .tlsCertificatePEM, name: "tls.certificate_pem", kind: .pem, defaultValue: "", range: "PEM, at most 4MiB", unit: "",
            doc: "As tls.certificate_file, in memory."),
        Property(
            id: .tlsKeyFile, name: "tls.key_file", kind: .text, defaultValue: "", range: "path of a PEM file", unit: "",
            doc: "The private key of the certificate, if it is not in the same file."),
        Property(
            id: .tlsKeyPEM, name: "tls.key_pem", kind: .pem, defaultValue: "", range: "PEM, at most 4MiB", unit: "",
            doc: "As tls.key_file, in memory."),
        Property(
            id: .tlsKeyPassword, name: "tls.key_password", kind: .text, defaultValue: "", range: "text", unit: "",
            doc: "What an encrypted private key was encrypted with. Nobody is ever asked on the terminal."),
        Property(
            id: .tlsPins, name: "tls.pins", kind: .text, defaultValue: "", range: "sha256/BASE64, separated by commas", unit: "",
            doc: "SHA-256 of public keys (RFC 7469): a certificate of the server's verified chain, its own included, must have one."),
        Property(
            id: .tlsServerName, name: "tls.server_name", kind: .text, defaultValue: "", range: "host name or address", unit: "",
            doc: "The name to ask for (SNI) and to find in the certificate, if it is not the URL's host."),
        Property(
            id: .tlsVersionMin, name: "tls.version_min", kind: .choice, defaultValue: "1.2", range: "1.2 | 1.3", unit: "",
            doc: "The oldest version of TLS to accept."),
        Property(
            id: .tlsVerify, name: "tls.verify", kind: .boolean, defaultValue: "true", range: "true | false", unit: "",
            doc: "INSECURE if false: anyone can pose as the server, and each connection gives a warning. Pins hold all the same."),
        Property(
            id: .metricsName, name: "metrics.name", kind: .text, defaultValue: "", range: "text of at most 128 bytes", unit: "",
            doc: "The connection's name in hw_metrics_write, which adds up those of one name; empty: host and port of the URL."),
    ]

    /// The property of this name, or the name that was probably meant if there is none.
    static func find(_ name: [UInt8]) -> (property: Property?, suggestion: String?) {
        let (index, suggestion) = NameSearch.find(name, in: properties.map { ASCII.bytes($0.name) })
        return (index.map { properties[$0] }, suggestion)
    }

    /// The table is in the order of the identifiers.
    static func property(_ id: PropertyId) -> Property { properties[id.rawValue] }
}
