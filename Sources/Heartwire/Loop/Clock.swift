import CSystem
import Heartbeat

/// CLOCK_MONOTONIC. Read once a loop turn and passed down.
enum Clock {
    static func now() -> Instant { Instant(nanoseconds: hws_monotonic_ns()) }

    /// The moment `milliseconds` from now; nil for UINT32_MAX, which means without limit.
    static func deadline(milliseconds: UInt32) -> Instant? {
        milliseconds == .max ? nil : now() + .milliseconds(Int64(milliseconds))
    }
}

/// Unpredictable bytes from the kernel. A kernel without randomness leaves no safe way on, and none is known on Linux once it has booted.
enum SystemRandom {
    static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        _ = hws_random(buffer.baseAddress, buffer.count)
    }

    static func seed() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return value
    }
}
