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
        policy.origins = origins(settings.bytes(.listenerOrigins))
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

    private static func origins(_ text: [UInt8]) -> [[UInt8]] {
        ASCII.split(text[...], at: 0x2C).map { [UInt8](ASCII.trimmed($0)) }.filter { !$0.isEmpty }
    }
}
