import CHeartwire
import Heartbeat
import Session
import WebSocket

/// A configuration and a URL made into what a connection runs on. Contradictions between properties are found here.
final class ConnectionPlan {
    enum DeliveryMode: Int {
        case dispatcher = 0
        case inline = 1
        case inbox = 2
    }

    let session: SessionConfiguration
    let outbox: Outbox.Limits
    /// How long messages wait at most, unless they say otherwise.
    let queueTTL: Interval?
    let inboxLimits: Inbox.Limits
    let delivery: DeliveryMode
    let settings: Config.Settings
    /// Nil if neither the URL nor a redirect of its server can ask for it.
    let tls: TLSClient?
    /// For the clients of a listener at a wss URL.
    let listenerTLS: TLSContext?
    let tlsContexts: TLSContexts
    let proxy: ProxySetting
    private(set) var metricsName: [UInt8]

    init(
        _ settings: Config.Settings, _ heartbeat: HeartbeatConfiguration, url text: [UInt8], tlsContexts: TLSContexts,
        forListener: Bool = false
    ) throws(ErrorDetails) {
        let url: URL
        do throws(URLError) {
            url = try URL(parsing: text, allowsPortZero: forListener)
        } catch {
            throw ErrorDetails(error)
        }
        if forListener && url.credentials != nil {
            throw ErrorDetails(
                HW_E_URL, HW_LAYER_CONFIGURATION, "a listener's URL names no user: hw_config_before_accept decides about clients")
        }
        session = try Self.session(settings, heartbeat, url)
        if forListener { try ListenerPlan.configure(session, settings) }
        outbox = Outbox.Limits(
            messagesMax: Int(clamping: settings.number(.queueMessagesMax)), bytesMax: Int(clamping: settings.number(.queueBytesMax)),
            fragmentSize: Int(clamping: settings.number(.messageFragmentBytes)), hasBeats: heartbeat.rules != nil,
            overflow: settings.choice(.queueOverflow) == 1 ? .dropOldest : .reject)
        queueTTL = settings.number(.queueTTL) == 0 ? nil : .milliseconds(settings.number(.queueTTL))
        inboxLimits = Inbox.Limits(settings)
        delivery = DeliveryMode(rawValue: settings.choice(.delivery)) ?? .dispatcher
        if delivery == .inbox && settings.inbox == nil {
            throw Self.conflict("delivery is \"inbox\" but there is none: call hw_config_set_inbox")
        }
        if delivery == .inbox && settings.onDetect != nil && settings.choice(.detectorThread) == 0 {
            throw Self.conflict(
                "with an inbox nobody runs the detector: set detector.thread to \"inline\", or answer with hw_connection_respond")
        }
        let overflow = (delivery == .inbox ? settings.inbox?.inbox.limits : nil)?.overflow ?? inboxLimits.overflow
        if session.messages.partSize != nil && (overflow == .dropOldest || overflow == .dropNewest) {
            throw Self.conflict(
                "message.part_bytes needs inbox.overflow \"pause\" or \"close\": a message without one of its parts is none")
        }
        try Self.checkBeforeConnect(settings, delivery)
        self.settings = settings
        self.tlsContexts = tlsContexts
        // What is answered before an attempt may name a URL of the other scheme.
        proxy = try ProxySetting(settings.bytes(.proxy), mayBePlain: !url.isSecure || session.asksBeforeConnect)
        metricsName = try MetricsName.of(settings, url)
        let mayNeedTLS = !forListener && (url.isSecure || session.redirectsMax > 0)
        tls = mayNeedTLS ? try TLSClient(settings, url: url, contexts: tlsContexts) : nil
        listenerTLS = forListener && url.isSecure ? try tlsContexts.context(TLSSettings(settings, role: .server)) : nil
    }

    /// A listener's: this is the port that it has got.
    func listens(at port: UInt16) {
        session.url = session.url.at(port: port)
        if settings.bytes(.metricsName).isEmpty { metricsName = session.url.endpoint }
    }

    /// Each binary message is decoded for the heartbeat rules.
    var decodesMessages: Bool { session.heartbeat.rules.map { !$0.frame.decode.isEmpty } ?? false }

    var isSendForbidden: Bool { session.heartbeat.rules?.isSendForbidden ?? false }

    /// The host's detector runs on the I/O thread.
    var detectsInline: Bool { settings.onDetect != nil && (delivery == .inline || settings.choice(.detectorThread) == 1) }

    /// Compression is wanted and cannot be had.
    var lacksCompression: Bool { settings.choice(.compression) == 1 && session.compression == nil }

    /// That somebody hears of what is asked before attempts.
    private static func checkBeforeConnect(_ settings: Config.Settings, _ delivery: DeliveryMode) throws(ErrorDetails) {
        guard let beforeConnect = settings.beforeConnect else { return }
        if delivery == .inbox && beforeConnect.callback != nil {
            throw conflict("with an inbox nobody runs the callback of hw_config_before_connect: give NULL and take the event from it")
        }
        if delivery != .inbox && beforeConnect.callback == nil && settings.onEvent == nil {
            throw conflict("nobody would get HW_EVENT_CONNECT_DUE: give hw_config_before_connect a callback, or set one for events")
        }
    }

    private static func session(
        _ settings: Config.Settings, _ heartbeat: HeartbeatConfiguration, _ url: URL
    ) throws(ErrorDetails) -> SessionConfiguration {
        @inline(never)
        func interval(_ id: PropertyId) -> Interval { .milliseconds(settings.number(id)) }
        let session = SessionConfiguration(url: url)
        session.heartbeat = heartbeat
        session.opening = settings.opening
        session.headerFields = settings.headers.lines + (try authorization(settings, url))
        session.handshakeSizeMax = Int(clamping: settings.number(.handshakeBytesMax))
        session.redirectsMax = Int(clamping: settings.number(.redirectsMax))
        session.subprotocols = try subprotocols(settings.bytes(.subprotocols))
        session.connectTimeout = interval(.connectTimeout)
        session.closeTimeout = interval(.closeTimeout)
        session.messages = try messages(settings)
        session.pongsPerSecondMax = Int(clamping: settings.number(.pongPerSecondMax))
        session.compression = compression(settings)
        session.asksBeforeConnect = settings.beforeConnect != nil
        try LifePlan.configure(session, settings)
        return session
    }

    private static func messages(_ settings: Config.Settings) throws(ErrorDetails) -> MessageAssembler.Limits {
        let partSize = Int(clamping: settings.number(.messagePartBytes))
        guard partSize == 0 || partSize >= 1024 else {
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'message.part_bytes' must be 0 or at least 1KiB")
        }
        let frameSizeMax = Int(clamping: settings.number(.frameBytesMax))
        return MessageAssembler.Limits(
            messageSizeMax: Int(clamping: settings.number(.messageBytesMax)), frameSizeMax: frameSizeMax == 0 ? nil : frameSizeMax,
            partSize: partSize == 0 ? nil : partSize)
    }

    /// Nil if compression is off, or zlib is not there.
    private static func compression(_ settings: Config.Settings) -> CompressionConfiguration? {
        guard settings.choice(.compression) == 1, let zlib = Zlib.shared else { return nil }
        var offer = DeflateParameters()
        offer.clientWindowBits = Int(clamping: settings.number(.compressionClientWindowBits))
        offer.serverWindowBits = Int(clamping: settings.number(.compressionServerWindowBits))
        offer.clientContextTakeover = settings.boolean(.compressionClientContextTakeover)
        offer.serverContextTakeover = settings.boolean(.compressionServerContextTakeover)
        return CompressionConfiguration(
            offer: offer, threshold: Int(clamping: settings.number(.compressionThresholdBytes)),
            provider: ZlibProvider(zlib, memoryLevel: Int(clamping: settings.number(.compressionMemoryLevel))))
    }

    /// The header line of Basic authentication, if credentials are given, in one place only. They stand in no error text.
    static func authorization(_ settings: Config.Settings, _ url: URL) throws(ErrorDetails) -> [[UInt8]] {
        let property = settings.bytes(.basicAuth)
        guard let credentials = url.credentials ?? (property.isEmpty ? nil : property) else { return [] }
        if url.credentials != nil && !property.isEmpty {
            throw conflict("the URL has a user name, and basic_auth is set; give one of them")
        }
        if settings.headers.contains("authorization") {
            throw conflict("there is an Authorization header beside basic_auth or the URL's user name; give one of them")
        }
        guard BasicAuthentication.isValid(credentials) else {
            let form = "property 'basic_auth' takes user:password, without control characters"
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, form)
        }
        return [BasicAuthentication.authorization(credentials)]
    }

    /// RFC 6455 section 4.1: tokens, each of them once.
    private static func subprotocols(_ text: [UInt8]) throws(ErrorDetails) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for part in ASCII.split(text[...], at: 0x2C) where !text.isEmpty {
            let name = [UInt8](ASCII.trimmed(part))
            guard ASCII.isToken(name), !names.contains(where: { $0.elementsEqual(name) }) else {
                throw ErrorDetails(
                    HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'subprotocols' must list different tokens separated by commas")
            }
            names.append(name)
        }
        return names
    }

    static func conflict(_ message: String) -> ErrorDetails {
        ErrorDetails(HW_E_CONFLICT, HW_LAYER_CONFIGURATION, message)
    }
}
