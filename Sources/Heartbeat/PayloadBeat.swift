import WebSocket

/// A heartbeat that is an ordinary message with a fixed payload, as services ask for that do not look at protocol pings.
package struct PayloadBeat {
    package struct Configuration {
        package var interval: Interval
        package var kind: MessageKind
        package var payload: [UInt8]

        package init(interval: Interval, kind: MessageKind, payload: [UInt8]) {
            self.interval = interval
            self.kind = kind
            self.payload = payload
        }
    }

    package let configuration: Configuration
    private var cadence: Cadence

    package init(_ configuration: Configuration, opened: Instant) {
        self.configuration = configuration
        cadence = Cadence(every: configuration.interval, from: opened)
    }

    package var deadline: Instant { cadence.due }

    /// True if a beat is to be sent now.
    package mutating func poll(_ now: Instant) -> Bool { cadence.tick(now) }
}
