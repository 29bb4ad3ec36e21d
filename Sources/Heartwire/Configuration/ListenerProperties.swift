/// The properties of listeners alone.
extension PropertyTable {
    static let listenerProperties: [Property] = [
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
