import Heartbeat
import Testing

@testable import Heartwire

struct SuspensionWatchTests {
    private static func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private var watch = SuspensionWatch(monotonic: instant(1_000), boottime: instant(5_000))

    private mutating func wasSuspended(_ monotonic: Int64, _ boottime: Int64) -> Bool {
        watch.wasSuspended(monotonic: Self.instant(monotonic), boottime: Self.instant(boottime))
    }

    @Test mutating func timeThatPassesOnBothClocksIsNone() {
        #expect(!wasSuspended(1_000, 5_000))
        #expect(!wasSuspended(100_000_000, 100_004_000))
    }

    @Test mutating func aSecondAheadIsOneAndIsToldOnce() {
        #expect(!wasSuspended(2_000, 6_999))
        #expect(wasSuspended(3_000, 8_000))
        #expect(!wasSuspended(3_000, 8_000))
        #expect(wasSuspended(4_000, 9_000 + 3_600_000))
        #expect(!wasSuspended(5_000, 10_000 + 3_600_000))
    }

    /// A thread that has to wait between the two readings finds the second clock ahead, but only that one time.
    @Test mutating func aLateReadingHidesNoSuspension() {
        #expect(!wasSuspended(2_000, 6_900))
        #expect(!wasSuspended(3_000, 7_000))
        #expect(wasSuspended(4_000, 9_000))
    }

    @Test mutating func nothingTraps() {
        _ = watch.wasSuspended(monotonic: Instant(nanoseconds: .min), boottime: Instant(nanoseconds: .max))
        _ = watch.wasSuspended(monotonic: Instant(nanoseconds: .max), boottime: Instant(nanoseconds: .min))
        _ = watch.wasSuspended(monotonic: Instant(nanoseconds: 0), boottime: Instant(nanoseconds: 0))
    }
}
