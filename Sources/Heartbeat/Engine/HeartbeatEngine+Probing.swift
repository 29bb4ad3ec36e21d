extension HeartbeatEngine {
    package mutating func probe(_ now: Instant) {}
}
