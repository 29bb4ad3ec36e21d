import Heartbeat
import Session

/// What the monitor's light shows for a connection, and why.
struct MonitorStatus {
    enum Light: Int {
        case error
        case warning
        case healthy
    }

    let light: Light
    /// Empty if there is nothing to say.
    let reason: StaticString

    /// A connection that was re-established less than this ago may break again.
    private static let recently = Interval.seconds(60)

    init(_ state: State, _ pulse: HeartbeatPulse, reconnected: Instant?, _ now: Instant) {
        switch (state, pulse.health, pulse.quality) {
        case (.connected, .error, _): self.init(.error, "heartbeats are missing")
        case (.connected, .warning, _): self.init(.warning, "a heartbeat is late or missing")
        case (.connected, _, .poor): self.init(.warning, "round trips are long or uneven: the quality is poor")
        case (.connected, _, .fair): self.init(.warning, "round trips are long or uneven: the quality is fair")
        case (.connected, .unknown, _), (.connected, .healthy, _):
            let isRecent = reconnected.map { now - $0 < Self.recently } ?? false
            self.init(isRecent ? .warning : .healthy, isRecent ? "reconnected less than a minute ago" : "")
        case (.connecting, _, _): self.init(.error, "not connected yet")
        case (.reconnecting, _, _): self.init(.error, "the connection was lost; another is being made")
        case (.closing, _, _): self.init(.error, "closing")
        case (.disconnected, _, _): self.init(.error, "closed")
        case (.failed, _, _): self.init(.error, "failed, and given up")
        }
    }

    private init(_ light: Light, _ reason: StaticString) {
        self.light = light
        self.reason = reason
    }
}
