import Session
import WebSocket

/// What a listener answers to requests for pages, beside the connections of its clients.
struct ListenerPages {
    private let hasMetrics: Bool
    private let monitor: MonitorAccess?

    /// There are none.
    var isEmpty: Bool { !hasMetrics && monitor == nil }

    init(_ settings: Config.Settings, at address: SocketAddress) throws(ErrorDetails) {
        hasMetrics = settings.boolean(.listenerMetrics)
        guard settings.boolean(.listenerMonitor) else {
            guard settings.bytes(.listenerMonitorToken).isEmpty else {
                throw ConnectionPlan.conflict("listener.monitor_token is set, but there is no monitor: set listener.monitor to true")
            }
            monitor = nil
            return
        }
        monitor = try MonitorAccess(settings, at: address)
    }

    /// The whole answer; nil if there is no such page. `isOpen`: the listener lets clients in.
    func answer(_ request: PageRequest, isOpen: Bool, metrics: () -> [UInt8]) -> [UInt8]? {
        let path = request.path
        if hasMetrics && path.elementsEqual(ASCII.bytes("/metrics")) {
            return Self.answer(request, "application/openmetrics-text; version=1.0.0; charset=utf-8", metrics())
        }
        if hasMetrics && path.elementsEqual(ASCII.bytes("/healthz")) {
            let body = ASCII.bytes(isOpen ? "ok\n" : "closing\n")
            return Self.answer(request, "text/plain; charset=utf-8", body, status: isOpen ? 200 : 503)
        }
        guard let monitor, path.elementsEqual(ASCII.bytes("/monitor")) else { return nil }
        if let refusal = monitor.refusal(resource: request.resource, host: request.host, request.fields) { return Self.answer(refusal) }
        return MonitorPage.answer(isHead: request.isHead)
    }

    enum Live {
        /// It is something else that is asked for.
        case elsewhere
        case allowed
        case refused([UInt8])
    }

    /// Whether this is the monitor's own connection.
    func live(_ request: HandshakeRequest) -> Live {
        guard let monitor, request.resource.prefix(while: { $0 != 0x3F }).elementsEqual(ASCII.bytes("/monitor/live")) else {
            return .elsewhere
        }
        return monitor.refusalOfLive(request).map { .refused(Self.answer($0)) } ?? .allowed
    }

    private static func answer(_ refusal: AcceptFailure) -> [UInt8] {
        var fields = [ASCII.bytes("Cache-Control: no-store")]
        if refusal.status == 401 { fields.append(ASCII.bytes("WWW-Authenticate: Bearer")) }
        return ServerHandshake.refusal(status: refusal.status, fields: fields, body: (refusal.sentence + "\n").bytes)
    }

    private static func answer(_ request: PageRequest, _ type: StaticString, _ body: [UInt8], status: UInt16 = 200) -> [UInt8] {
        let fields = [ASCII.bytes("Content-Type: ") + ASCII.bytes(type), ASCII.bytes("Cache-Control: no-store")]
        return ServerHandshake.answer(status: status, fields: fields, body: body, isHead: request.isHead)
    }
}
