/// The properties of listeners alone.
extension PropertyTable {
    static let listenerProperties: [Property] = [
        Property(
            id: .listenerOrigins, name: "listener.origins", kind: .text, defaultValue: "", range: "origins, separated by commas", unit: "",
            doc: "Whose pages may connect, such as https://example.com; empty: all. Clients that are no browsers name no origin and may."),
        Property(
            id: .listenerConnectionsMax, name: "listener.connections_max", kind: .integer(1...1_000_000), defaultValue: "100000",
            range: "1 .. 1000000", unit: "connections", doc: "Clients of a listener at a time; more are answered with 503."),
        Property(
            id: .listenerMetrics, name: "listener.metrics", kind: .boolean, defaultValue: "false", range: "true | false", unit: "",
            doc: "Whether a listener answers /metrics with what hw_metrics_write gives, and /healthz with 200, or 503 if it lets nobody in."
        ),
        Property(
            id: .listenerMonitor, name: "listener.monitor", kind: .boolean, defaultValue: "false", range: "true | false", unit: "",
            doc: "Whether a listener shows all connections of the process at /monitor, to this machine, or to those who know the token."),
        Property(
            id: .listenerMonitorToken, name: "listener.monitor_token", kind: .text, defaultValue: "",
            range: "16 to 256 of A-Z a-z 0-9 -._~", unit: "",
            doc: "What /monitor?token=..., or Authorization: Bearer, must say. Needed unless the listener is bound to a loopback address."),
        Property(
            id: .broadcastHeartbeat, name: "broadcast.heartbeat", kind: .choice, defaultValue: "off", range: "off | text | gzip", unit: "",
            doc: "What a listener sends to all its clients again and again: nothing, a text message, or a binary one compressed by gzip."),
        Property(
            id: .broadcastInterval, name: "broadcast.interval", kind: .duration(1...day), defaultValue: "30s", range: "1ms .. 24h",
            unit: "duration", doc: "Time between the messages of broadcast.heartbeat."),
        Property(
            id: .broadcastTemplate, name: "broadcast.template", kind: .text, defaultValue: #"{"ts": "${iso8601}"}"#,
            range: "UTF-8, at most 64KiB", unit: "",
            doc: "What broadcast.heartbeat sends, with the gaps of the rule language that need no message to answer."),
    ]
}
