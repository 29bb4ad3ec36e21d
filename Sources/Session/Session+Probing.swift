import Heartbeat

extension Session {
    /// The machine was suspended, or its network changed: asks whether the peer is still there.
    package mutating func probe(_ now: Instant, _ outbox: inout Outbox) {
        guard case .open = phase else { return }
        heartbeats.probe(now)
        carryOut(now, &outbox)
    }
}
