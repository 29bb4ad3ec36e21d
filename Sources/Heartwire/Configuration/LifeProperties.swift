/// The properties of reconnecting, of what is sent, and of rotation.
extension PropertyTable {
    static let week: Int64 = 7 * day

    static let lifeProperties: [Property] = [
        Property(
            id: .reconnectEnabled, name: "reconnect.enabled", kind: .boolean, defaultValue: "true", range: "true | false", unit: "",
            doc: "Whether to try again after a failed attempt or a lost connection."),
        Property(
            id: .reconnectBase, name: "reconnect.base", kind: .duration(1...day), defaultValue: "500ms", range: "1ms .. 24h",
            unit: "duration",
            doc: "The first delay; it grows by reconnect.factor_percent with each failure, and reconnect.jitter draws from it."),
        Property(
            id: .reconnectFactor, name: "reconnect.factor_percent", kind: .integer(100...1000), defaultValue: "200",
            range: "100 .. 1000", unit: "percent",
            doc: "What each failure makes of the delay: 200 doubles it."),
        Property(
            id: .reconnectCap, name: "reconnect.cap", kind: .duration(1...day), defaultValue: "30s", range: "1ms .. 24h",
            unit: "duration", doc: "What delays do not grow beyond, before jitter."),
        Property(
            id: .reconnectJitter, name: "reconnect.jitter", kind: .choice, defaultValue: "full",
            range: "full | equal | quarter | none", unit: "",
            doc: "What is drawn of the delay: all of it, the latter half, up to a quarter added to it, or nothing."),
        Property(
            id: .reconnectAttemptsMax, name: "reconnect.attempts_max", kind: .integer(0...1_000_000), defaultValue: "0",
            range: "0 .. 1000000", unit: "attempts", doc: "Failures in a row after which to give up; 0 never gives up."),
        Property(
            id: .reconnectStableAfter, name: "reconnect.stable_after", kind: .duration(0...day), defaultValue: "10s", range: "0 .. 24h",
            unit: "duration", doc: "A connection that lasted this long makes earlier failures count no more."),
        Property(
            id: .reconnectFinalCodes, name: "reconnect.final_codes", kind: .text, defaultValue: "",
            range: "codes separated by commas", unit: "",
            doc: "HTTP statuses and close codes after which no attempt follows, beside those that are final by themselves."),
        Property(
            id: .reconnectRetryCodes, name: "reconnect.retry_codes", kind: .text, defaultValue: "",
            range: "codes separated by commas", unit: "",
            doc: "HTTP statuses and close codes after which another attempt follows though they are final by themselves."),
        Property(
            id: .reconnectRetryAfterMax, name: "reconnect.retry_after_max", kind: .duration(0...day), defaultValue: "1h",
            range: "0 .. 24h", unit: "duration",
            doc: "How long a server may ask to be left alone (Retry-After, HTTP 429 and 503, close codes 1012 and 1013); 0: not at all."),
        Property(
            id: .circuitFailuresMax, name: "circuit.failures_max", kind: .integer(0...1000), defaultValue: "50",
            range: "0 .. 1000", unit: "attempts",
            doc: "Failed attempts to a host within circuit.window, of all connections, that open its circuit; 0: none do."),
        Property(
            id: .circuitWindow, name: "circuit.window", kind: .duration(1...day), defaultValue: "1m",
            range: "1ms .. 24h", unit: "duration",
            doc: "How long a failed attempt counts for the circuit."),
        Property(
            id: .circuitOpenFor, name: "circuit.open_for", kind: .duration(1...day), defaultValue: "5s",
            range: "1ms .. 24h", unit: "duration",
            doc: "How long an open circuit lets no attempt through; then one connection tries for all."),
        Property(
            id: .attemptsPerMinuteMax, name: "attempts.per_minute_max", kind: .integer(0...10000), defaultValue: "0",
            range: "0 .. 10000", unit: "attempts",
            doc: "Attempts that all connections of the process may begin to one host within a minute; 0: any number."),
        Property(
            id: .beforeConnectTimeout, name: "before_connect.timeout", kind: .duration(1...day), defaultValue: "10s",
            range: "1ms .. 24h", unit: "duration",
            doc: "How long an attempt waits for hw_connection_proceed; not part of connect.timeout."),
        Property(
            id: .scriptTimeout, name: "script.timeout", kind: .duration(1...day), defaultValue: "10s",
            range: "1ms .. 24h", unit: "duration",
            doc: "How long a step of the opening script waits for what it expects, unless it says otherwise."),
        Property(
            id: .queueMessagesMax, name: "queue.messages_max", kind: .integer(1...10_000_000), defaultValue: "10000",
            range: "1 .. 10000000", unit: "messages", doc: "Messages that may wait to be sent."),
        Property(
            id: .queueBytesMax, name: "queue.bytes_max", kind: .size(1...gibibyte), defaultValue: "16MiB", range: "1 .. 1GiB",
            unit: "bytes", doc: "Bytes that may wait to be sent; also the largest message that can be sent."),
        Property(
            id: .queueOverflow, name: "queue.overflow", kind: .choice, defaultValue: "reject",
            range: "reject | drop_oldest", unit: "",
            doc: "What happens to a message that finds the queue full: it is refused, or the oldest that nothing was written of give way."),
        Property(
            id: .queueTTL, name: "queue.ttl", kind: .duration(0...day), defaultValue: "0",
            range: "0 .. 24h", unit: "duration",
            doc: "How long a message may wait before its first byte is written, unless it says otherwise; 0: without limit."),
        Property(
            id: .rotateAfter, name: "rotate.after", kind: .duration(0...week), defaultValue: "0",
            range: "0 .. 168h", unit: "duration",
            doc: "The age at which a connection gives way to a new one, make before break; up to 5 % earlier, by lot; 0: none."),
        Property(
            id: .rotateLinger, name: "rotate.linger", kind: .duration(0...3_600_000), defaultValue: "1s",
            range: "0 .. 1h", unit: "duration",
            doc: "How long the old connection of a rotation stands after the last message sent on it, so that the server can answer."),
        Property(
            id: .rotateOnNotice, name: "rotate.on_notice", kind: .choice, defaultValue: "rule",
            range: "off | rule | all", unit: "",
            doc: "What has a new connection opened at once: nothing, advice found by a heartbeat rule, or close codes 1001 and 1012 too."),
        Property(
            id: .rotateDuplicateKey, name: "rotate.duplicate_key", kind: .text, defaultValue: "",
            range: "path of a JSON member, such as /data/id", unit: "",
            doc: "While two connections overlap, a message is left out if the other delivered the same value of this member."),
        Property(
            id: .networkWatch, name: "network.watch", kind: .boolean, defaultValue: "true",
            range: "true | false", unit: "",
            doc: "Whether a changed address or route has a connection probed (5s to answer at most), and a waiting attempt made, at once."),
    ]
}
