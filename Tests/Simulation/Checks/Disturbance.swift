import Heartbeat

/// When something last kept a client from doing things in time that is not its own fault: nobody read, the kernel took nothing, the process
/// or the machine stood still.
struct Disturbance {
    /// In the world's time.
    private(set) var last = Instant(nanoseconds: 0)
    private var standstill = Interval.zero

    mutating func look(_ client: Client) {
        let machine = client.world.machine
        guard client.driver.isBlocked || client.driver.isReadingPaused || machine.standstill != standstill else { return }
        standstill = machine.standstill
        last = client.world.timeline.now
    }
}
