/// The properties of heartbeats, first in the table.
extension PropertyTable {
    static let heartbeatProperties: [Property] = [
        Property(
            id: .preset, name: "preset", kind: .text, defaultValue: "", range: "name of a preset", unit: "",
            doc: "The heartbeats of a known service, such as deribit or engineio-v4; hw_preset_describe lists all."),
        Property(
            id: .presetParameters, name: "preset.parameters", kind: .text, defaultValue: "", range: "name=value, separated by commas",
            unit: "", doc: "What the preset's rules need to know, and counter=N for the first number of their requests."),
        Property(
            id: .pingInterval, name: "ping.interval", kind: .duration(0...day), defaultValue: "20s", range: "0 .. 24h", unit: "duration",
            doc: "Time between the pings we send; 0 sends none. With a preset that sends or expects heartbeats itself the default is 0."),
        Property(
            id: .pingIntervalFair, name: "ping.interval_fair", kind: .duration(0...day), defaultValue: "0", range: "0 .. 24h",
            unit: "duration", doc: "With heartbeat.adaptive, ping.interval at a mean round trip above 500ms; 0: two thirds of it."),
        Property(
            id: .pingIntervalPoor, name: "ping.interval_poor", kind: .duration(0...day), defaultValue: "0", range: "0 .. 24h",
            unit: "duration", doc: "The same above 1s, or with more than 10 % of the last 16 pings and beats missed; 0: half of it."),
        Property(
            id: .pingTimeout, name: "ping.timeout", kind: .duration(1...day), defaultValue: "20s", range: "1ms .. 24h", unit: "duration",
            doc: "How long a ping may go unanswered before it counts as missed."),
        Property(
            id: .pingMissedMax, name: "ping.missed_max", kind: .integer(1...1000), defaultValue: "2", range: "1 .. 1000", unit: "pings",
            doc: "Pings missed in a row, with nothing else received meanwhile, after which the connection is given up."),
        Property(
            id: .heartbeatInterval, name: "heartbeat.interval", kind: .duration(0...day), defaultValue: "0", range: "0 .. 24h",
            unit: "duration", doc: "Time between payload beats; 0 sends none. Needs heartbeat.text or heartbeat.binary."),
        Property(
            id: .heartbeatText, name: "heartbeat.text", kind: .text, defaultValue: "", range: "UTF-8, at most 64KiB", unit: "",
            doc: "The text message that a payload beat sends."),
        Property(
            id: .heartbeatBinary, name: "heartbeat.binary", kind: .bytes, defaultValue: "", range: "at most 64KiB", unit: "",
            doc: "The binary message that a payload beat sends."),
        Property(
            id: .heartbeatWhen, name: "heartbeat.when", kind: .choice,
            defaultValue: "always", range: "always | idle_tx | idle_rx | idle_any", unit: "",
            doc: "Whether payload beats wait until nothing was sent, received, or either, for the interval."),
        Property(
            id: .heartbeatConsume, name: "heartbeat.consume", kind: .boolean, defaultValue: "false", range: "true | false", unit: "",
            doc: "Whether messages that are heartbeats for the rules are kept from the application."),
        Property(
            id: .heartbeatAdaptive, name: "heartbeat.adaptive", kind: .boolean, defaultValue: "false", range: "true | false", unit: "",
            doc: "Whether pings come at ping.interval_fair or ping.interval_poor while round trips are long or beats are missed."),
        Property(
            id: .heartbeatFailureThreshold, name: "heartbeat.failure_threshold", kind: .integer(1...1000), defaultValue: "5",
            range: "1 .. 1000", unit: "failures",
            doc: "Missed beats (if liveness agrees) and failed answers in a row after which the connection is closed."),
        Property(
            id: .heartbeatOnFailure, name: "heartbeat.on_failure", kind: .choice,
            defaultValue: "reconnect", range: "reconnect | fail | report", unit: "",
            doc: "When heartbeats fail: close and reconnect, close for good, or only report it."),
        Property(
            id: .heartbeatCloseCode, name: "heartbeat.close_code", kind: .integer(1000...4999), defaultValue: "3008",
            range: "1000 .. 4999", unit: "",
            doc: "The close code when heartbeats fail, none of 1002 to 2999; 3008 is IANA's for a timeout."),
        Property(
            id: .heartbeatCloseReason, name: "heartbeat.close_reason", kind: .text, defaultValue: "heartbeat timeout",
            range: "UTF-8, at most 123 bytes", unit: "", doc: "The close reason when heartbeats fail."),
        Property(
            id: .responseTimeout, name: "response.timeout", kind: .duration(1...3_600_000), defaultValue: "3s", range: "1ms .. 1h",
            unit: "duration", doc: "From a heartbeat request's arrival to the kernel: a later answer counts as a failure."),
        Property(
            id: .responseTarget, name: "response.target", kind: .duration(1...3_600_000), defaultValue: "500ms", range: "1ms .. 1h",
            unit: "duration", doc: "An answer within this is on target; crossing it either way is an event, as for the next two."),
        Property(
            id: .responseWarning, name: "response.warning", kind: .duration(1...3_600_000), defaultValue: "1s", range: "1ms .. 1h",
            unit: "duration", doc: "A later answer is a warning."),
        Property(
            id: .responseCritical, name: "response.critical", kind: .duration(1...3_600_000), defaultValue: "2s", range: "1ms .. 1h",
            unit: "duration", doc: "A later answer is critical."),
        Property(
            id: .liveness, name: "liveness", kind: .choice, defaultValue: "any_rx",
            range: "any_rx | pong | data", unit: "",
            doc: "What proves the peer alive and defers its end: any byte, answers to pings and beats, or what watches and stamps name."),
        Property(
            id: .watchOnSilence, name: "watch.on_silence", kind: .choice, defaultValue: "probe",
            range: "probe | close | report", unit: "",
            doc: "When what a watch expects does not come: probe and close if nothing answers, close at once, or only report it."),
        Property(
            id: .healthWarningIntervals, name: "health.warning_intervals", kind: .integer(1...1000), defaultValue: "1",
            range: "1 .. 1000", unit: "intervals", doc: "Intervals of silence, or beats missed in a row, that make the health a warning."),
        Property(
            id: .healthErrorIntervals, name: "health.error_intervals", kind: .integer(1...1000), defaultValue: "2", range: "1 .. 1000",
            unit: "intervals", doc: "The same for an error."),
        Property(
            id: .healthRecoveryBeats, name: "health.recovery_beats", kind: .integer(1...1000), defaultValue: "2", range: "1 .. 1000",
            unit: "beats", doc: "Heartbeats in time, one after the other, that make the health good again."),
        Property(
            id: .qualityExcellentMean, name: "quality.excellent_mean", kind: .duration(1...3_600_000), defaultValue: "50ms",
            range: "1ms .. 1h", unit: "duration", doc: "Excellent: the mean round trip is below this and the variance below the next."),
        Property(
            id: .qualityExcellentVariance, name: "quality.excellent_variance", kind: .integer(1...1_000_000_000), defaultValue: "20",
            range: "1 .. 1000000000", unit: "ms^2", doc: "The limit of the variance of round trips for excellent."),
        Property(
            id: .qualityGoodMean, name: "quality.good_mean", kind: .duration(1...3_600_000), defaultValue: "100ms", range: "1ms .. 1h",
            unit: "duration", doc: "The same for good."),
        Property(
            id: .qualityGoodVariance, name: "quality.good_variance", kind: .integer(1...1_000_000_000), defaultValue: "50",
            range: "1 .. 1000000000", unit: "ms^2", doc: "The limit of the variance of round trips for good."),
        Property(
            id: .qualityFairMean, name: "quality.fair_mean", kind: .duration(1...3_600_000), defaultValue: "200ms", range: "1ms .. 1h",
            unit: "duration", doc: "Fair: the mean round trip is below this; else it is poor."),
        Property(
            id: .detectorThread, name: "detector.thread", kind: .choice, defaultValue: "dispatcher",
            range: "dispatcher | inline", unit: "", doc: "Where the detector runs: inline, on the I/O thread, it must not block."),
    ]
}
