/// How the heartbeats of the present connection stand, in what one looks at again and again.
package struct HeartbeatPulse {
    package var health = Health.unknown
    package var quality = Quality.unknown
    /// When a heartbeat of the other side, or its acknowledgement of ours, last came.
    package var lastBeat: Instant?
    /// When the next heartbeat is sent, or expected of the other side, whichever is first, and the rhythm that it belongs to.
    package var next: (due: Instant, interval: Interval)?

    package init(health: Health = .unknown, quality: Quality = .unknown, lastBeat: Instant? = nil) {
        self.health = health
        self.quality = quality
        self.lastBeat = lastBeat
    }
}

extension HeartbeatEngine {
    package var pulse: HeartbeatPulse {
        var pulse = HeartbeatPulse(health: epoch.health.value, quality: epoch.quality.value, lastBeat: epoch.lastBeat)
        guard epoch.isRunning else { return pulse }
        func consider(_ due: Instant?, _ interval: Interval?) {
            guard let due, let interval, due < pulse.next?.due ?? Instant(nanoseconds: .max) else { return }
            pulse.next = (due, interval)
        }
        consider(epoch.pings?.due, epoch.pings?.interval)
        for index in epoch.beats.indices { consider(due(beat: index), epoch.beats[index].interval) }
        for index in epoch.watches.indices { consider(silenceDeadline(watch: index), epoch.watches[index].interval) }
        return pulse
    }
}
