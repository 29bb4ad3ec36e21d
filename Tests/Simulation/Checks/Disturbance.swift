import Heartbeat

/// When something last kept a client from doing things in time that is not its own fault: nobody read, the kernel took nothing, the process
/// or the machine stood still.
struct Disturbance {
    /// In the world's time.
    private(set) var last = Instant(nanoseconds: 0)
    /// When it was last looked: it ended between then and now.
    private var wasHeldUp = false

    mutating func look(_ client: Client) {
        let machine = client.world.machine
        last = max(last, machine.lastStandstill)
        let isHeldUp = client.driver.isBlocked || client.driver.isReadingPaused
        if isHeldUp || wasHeldUp { last = client.world.timeline.now }
        wasHeldUp = isHeldUp
    }
}

/// Whether time that is measured has to be measured anew, because nobody reads, or nobody has read until now.
struct Pause {
    private var wasPaused = false

    mutating func isOn(_ client: Client) -> Bool {
        let isPaused = client.driver.isReadingPaused
        defer { wasPaused = isPaused }
        return isPaused || wasPaused
    }
}
