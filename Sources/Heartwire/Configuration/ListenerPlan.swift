import CHeartwire
import Heartbeat
import Session
import WebSocket

/// What a listener's configuration makes of its clients, beside what it makes of connections.
enum ListenerPlan {
    /// Where pings are the only heartbeats, and nothing else is asked for.
    private static let pingInterval = Interval.seconds(30)

    /// The heartbeats of clients: a sweep.
    static func heartbeat(_ settings: Config.Settings) throws(ErrorDetails) -> HeartbeatConfiguration {
        let heartbeat = try HeartbeatPlan.configuration(settings, pingInterval: pingInterval)
        heartbeat.ping?.isSpread = true
        let code = settings.isSet(.heartbeatCloseCode) ? heartbeat.closeFrame.code : CloseCode.goingAway
        let reason = settings.isSet(.heartbeatCloseReason) ? heartbeat.closeFrame.reason : ASCII.bytes("Heartbeat timeout")
        heartbeat.closeFrame = CloseFrame(code: code, reason: reason)
        return heartbeat
    }

    static func configure(_ session: SessionConfiguration, _ settings: Config.Settings) throws(ErrorDetails) {
        var policy = AcceptancePolicy()
        policy.asks = settings.beforeAccept != nil
        policy.origins = try origins(settings.bytes(.listenerOrigins))
        session.acceptance = policy
        session.opening = nil
        session.reconnects = false
        session.rotateAfter = nil
        session.rotateOnNotice = .off
        session.duplicateKey = nil
        session.watchesNetwork = false
    }

    /// For clients that ask for a page, or for the monitor's connection: nothing of the host's.
    static func visitors(_ settings: Config.Settings, _ tlsContexts: TLSContexts) throws(ErrorDetails) -> ConnectionPlan {
        var own = Config.Settings()
        for id in [PropertyId.connectTimeout, .closeTimeout] { own.set(id, number: settings.number(id)) }
        own.set(.delivery, choice: ConnectionPlan.DeliveryMode.inline.rawValue)
        // One look is on its way at a time, and nothing is to be heard.
        own.set(.queueMessagesMax, number: 1)
        own.set(.messageBytesMax, number: 1024)
        return try ConnectionPlan(own, try heartbeat(own), url: ASCII.bytes("ws://visitors"), tlsContexts: tlsContexts, forListener: true)
    }

    /// What could match no browser's Origin would turn all pages away (RFC 6454 section 6.1).
    private static func origins(_ text: [UInt8]) throws(ErrorDetails) -> [[UInt8]] {
        let origins = ASCII.split(text[...], at: 0x2C).map { [UInt8](ASCII.trimmed($0)) }.filter { !$0.isEmpty }
        guard origins.allSatisfy(isOrigin) else {
            throw ErrorDetails(
                HW_E_VALUE, HW_LAYER_CONFIGURATION,
                "property 'listener.origins' takes origins as browsers send them, such as https://example.com or http://localhost:8080: "
                    + "no *, no path, no slash at the end, and no port that is the scheme's own; leave it empty to let all in")
        }
        return origins
    }

    private static func isOrigin(_ text: [UInt8]) -> Bool {
        if text.elementsEqual(ASCII.bytes("null")) { return true }
        guard let colon = text.firstIndex(of: 0x3A), colon > 0, text[colon...].starts(with: ASCII.bytes("://")) else { return false }
        let (scheme, rest) = (text[..<colon], text[(colon + 3)...])
        let isPlain = !rest.isEmpty && rest.allSatisfy { $0 > 0x20 && $0 < 0x7F && !ASCII.bytes("/?#@*\\").contains($0) }
        let ownPort: StaticString = ASCII.equalsIgnoringCase(scheme, "https") ? ":443" : ":80"
        let isWeb = ASCII.equalsIgnoringCase(scheme, "https") || ASCII.equalsIgnoringCase(scheme, "http")
        return isPlain && !(isWeb && rest.reversed().starts(with: ASCII.bytes(ownPort).reversed()))
    }
}
