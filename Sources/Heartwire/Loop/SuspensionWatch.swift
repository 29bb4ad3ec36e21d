import Heartbeat

/// Tells that the machine was suspended: CLOCK_BOOTTIME counts that time, CLOCK_MONOTONIC does not.
struct SuspensionWatch {
    /// By how much CLOCK_BOOTTIME is ahead, suspensions told included.
    private var ahead: Interval

    /// Of a shorter suspension no peer takes notice.
    private static let shortest = Interval.seconds(1)

    init(monotonic: Instant, boottime: Instant) {
        ahead = boottime - monotonic
    }

    /// True once after a suspension. The clocks are read one right after the other, this one's argument first.
    mutating func wasSuspended(monotonic: Instant, boottime: Instant) -> Bool {
        let ahead = boottime - monotonic
        guard ahead.nanoseconds &- self.ahead.nanoseconds >= Self.shortest.nanoseconds else {
            // Between the readings of the last time the thread had to wait.
            self.ahead = min(self.ahead, ahead)
            return false
        }
        self.ahead = ahead
        return true
    }
}
