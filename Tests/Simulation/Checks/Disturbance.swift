import Heartbeat

/// When something last kept a client from doing things in time that is not its own fault: nobody read, the kernel took nothing, the process
/// or the machine stood still.
struct Disturbance {
    /// In the world's time.
    private(set) var last = Instant(nanoseconds: 0)

    mutating func look(_ client: Client) {
        let machine = client.world.machine
        last = max(last, machine.lastStandstill)
        if client.driver.isBlocked || client.driver.isReadingPaused { last = client.world.timeline.now }
    }
}
