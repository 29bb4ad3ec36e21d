import CHeartwire
import Heartbeat
import Session
import WebSocket

/// What a listener says to all its clients again and again.
struct HeartbeatBroadcast {
    let interval: Interval
    private let send: SendRule
    private let coder: ZlibBodies?
    private let variables: HeartbeatVariables

    private enum Form: Int {
        case off = 0
        case text = 1
        case gzip = 2
    }

    /// Nil if it is off.
    static func make(_ settings: Config.Settings) throws(ErrorDetails) -> HeartbeatBroadcast? {
        switch Form(rawValue: settings.choice(.broadcastHeartbeat)) {
        case .text: return HeartbeatBroadcast(settings, try template(settings), .text, nil)
        case .gzip:
            guard let zlib = Zlib.shared else {
                throw ErrorDetails(
                    HW_E_SYSTEM, HW_LAYER_SYSTEM,
                    "broadcast.heartbeat is gzip, but libz.so.1 could not be loaded; install zlib (Debian: zlib1g)")
            }
            return HeartbeatBroadcast(settings, try template(settings), .binary, ZlibBodies(zlib))
        case .off, nil:
            guard !settings.isSet(.broadcastInterval), !settings.isSet(.broadcastTemplate) else {
                throw ConnectionPlan.conflict("broadcast.heartbeat is off: set it to \"text\" or \"gzip\" for what is to be sent")
            }
            return nil
        }
    }

    private init(_ settings: Config.Settings, _ body: Template, _ opcode: SendRule.Opcode, _ coder: ZlibBodies?) {
        interval = .milliseconds(settings.number(.broadcastInterval))
        var send = SendRule(body: body)
        send.opcode = opcode
        self.send = send
        self.coder = coder
        variables = HeartbeatVariables(RuleSet(RuleSetParts()), valueSizeMax: 0)
    }

    private static func template(_ settings: Config.Settings) throws(ErrorDetails) -> Template {
        do throws(RuleError) {
            return try Template(standingAlone: settings.bytes(.broadcastTemplate))
        } catch {
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'broadcast.template' \(error.sentence)")
        }
    }

    /// What is to be sent at this moment; nil if it has become too large.
    func message(_ environment: SystemEnvironment, _ now: Instant) -> (kind: MessageKind, body: [UInt8])? {
        var values = EngineValues(environment: environment, variables: variables, now: now)
        var body: [UInt8] = []
        guard TemplateWriter.write(send, Captured(), &values, into: &body) != nil else { return nil }
        guard let coder else { return (.text, body) }
        return coder.encode(.gzip, body).map { (.binary, $0) }
    }
}
