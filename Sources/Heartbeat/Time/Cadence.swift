/// A fixed rhythm: due one interval after its start and then every interval. Ticks missed during a stall are skipped, never made up for.
package struct Cadence {
    package let interval: Interval
    package private(set) var due: Instant

    /// `interval` is positive.
    package init(every interval: Interval, from start: Instant) {
        self.interval = interval
        due = start + interval
    }

    /// True once for each tick that has come due, however many intervals `now` has moved on; the rhythm keeps its phase.
    package mutating func tick(_ now: Instant) -> Bool {
        guard now >= due else { return false }
        let behind = (now - due).nanoseconds / interval.nanoseconds
        due = due + Interval(nanoseconds: interval.nanoseconds &* behind) + interval
        return true
    }
}
