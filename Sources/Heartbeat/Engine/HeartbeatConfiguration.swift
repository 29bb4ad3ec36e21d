import WebSocket

/// What the heartbeats of a connection are to be, checked and typed. Shared by the connections that were opened with the same settings.
package final class HeartbeatConfiguration {
    /// What declares the peer dead, or proves it alive.
    package enum Liveness {
        /// Any received byte proves it alive.
        case anyReceived
        /// Only answers to our pings and beats do.
        case pong
        /// Only what watches and stamps name does.
        case data
    }

    /// What follows when a watch expires.
    package enum SilencePolicy {
        /// Ask for a sign of life, and end the connection if none comes.
        case probe
        case close
        case report
    }

    /// For the events; empty if there is none.
    package var presetName: [UInt8] = []
    package var rules: RuleSet?
    /// By variable of the rule set: what the application gave.
    package var parameters: [[UInt8]?] = []
    package var counterStart: Int64 = 1
    package var ping: PingSchedule.Configuration?
    /// What the pings' interval becomes by how the connection does; nil: it stays.
    package var adaptive: AdaptiveInterval?

    package var liveness = Liveness.anyReceived
    package var silencePolicy = SilencePolicy.probe
    /// How long a probe may go unanswered, if the watch's own interval is not shorter.
    package var probeTimeout = Interval.seconds(20)
    /// Failures in a row after which the connection is ended; nil: never.
    package var failureThreshold: Int? = 5
    package var closeFrame = CloseFrame(code: 3008, reason: ASCII.bytes("heartbeat timeout"))
    /// Whether a connection ended by heartbeats is followed by another.
    package var reconnectsAfterFailure = true
    package var consumesHeartbeats = false

    package var response = ResponseTimes.Limits()
    package var health = HealthMonitor.Policy()
    package var quality = Quality.Thresholds()

    package var coder: (any BodyCoder)?

    package init() {}

    /// The application looks for heartbeats itself.
    package var hasDetector = false

    /// Nothing is to be sent, answered or watched but the server's pings.
    var isEmpty: Bool { rules == nil && ping == nil && !hasDetector }

    /// Whether the beat sends what the application gave as a parameter, which may be a secret.
    package func sendsParameter(beat index: Int) -> Bool {
        guard let rules, index >= 0, index < rules.beats.count else { return false }
        return rules.beats[index].send.body.pieces.contains { piece in
            if case .last(let variable, _) = piece { parameters.indices.contains(variable) && parameters[variable] != nil } else { false }
        }
    }
}

/// The world's part in a template: the wall clock and randomness.
package protocol HeartbeatEnvironment: AnyObject {
    /// Nanoseconds since 1970.
    func unixNanoseconds(at now: Instant) -> Int64
    /// A version 4 UUID (RFC 9562 section 5.4) as text.
    func appendUUID(to text: inout [UInt8])
    /// A short random text of letters and digits.
    func appendRandom(to text: inout [UInt8])
    /// At least 0 and below 1.
    func fraction() -> Double
}

/// The compressed forms that `frame.decode` and `send.encode` name, supplied by whoever has zlib.
package protocol BodyCoder: AnyObject {
    /// Replaces the content of `output`. False if the input is not valid, or its plain form is larger than `sizeMax`.
    func decode(_ coding: BodyCoding, _ input: UnsafeRawBufferPointer, into output: inout ByteQueue, sizeMax: Int) -> Bool
    func encode(_ coding: BodyCoding, _ input: [UInt8]) -> [UInt8]?
}
