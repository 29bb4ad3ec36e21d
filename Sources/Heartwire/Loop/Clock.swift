import CSystem
import Heartbeat

/// CLOCK_MONOTONIC. Read once a loop turn and passed down.
enum Clock {
    static func now() -> Instant { Instant(nanoseconds: hws_monotonic_ns()) }

    /// CLOCK_BOOTTIME, which goes on while the machine is suspended.
    static func boottime() -> Instant { Instant(nanoseconds: hws_boottime_ns()) }

    /// The moment `milliseconds` from now; nil for UINT32_MAX, which means without limit.
    static func deadline(milliseconds: UInt32) -> Instant? {
        milliseconds == .max ? nil : now() + .milliseconds(Int64(milliseconds))
    }
}

/// Unpredictable bytes: from the kernel, or from OpenSSL's generator where a sandbox forbids the system call.
enum SystemRandom {
    static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        guard hws_random(buffer.baseAddress, buffer.count) != 0 else { return }
        // Whatever happens, no memory of ours leaves the process.
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        _ = RAND_bytes(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), Int32(clamping: buffer.count))
    }

    static func seed() -> UInt64 {
        var value: UInt64 = 0
        withUnsafeMutableBytes(of: &value) { fill($0) }
        return value
    }
}
