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
        guard !session.url.isSecure else {
            throw ConnectionPlan.conflict("a listener speaks ws; put a proxy that speaks TLS before it")
        }
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

    private static func origins(_ text: [UInt8]) -> [[UInt8]] {
        ASCII.split(text[...], at: 0x2C).map { [UInt8](ASCII.trimmed($0)) }.filter { !$0.isEmpty }
    }
}
