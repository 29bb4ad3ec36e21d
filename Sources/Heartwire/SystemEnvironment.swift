import CSystem
import Heartbeat
import WebSocket

/// The wall clock and the kernel's randomness, for what heartbeats write.
final class SystemEnvironment: HeartbeatEnvironment {
    /// As the wall clock stood at `now`, which may be a little while ago: it is read anew each time, because it can be set.
    func unixNanoseconds(at now: Instant) -> Int64 {
        hws_unix_ns() &- (Clock.now() - now).nanoseconds
    }

    func appendUUID(to text: inout [UInt8]) {
        var bytes = random()
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(0x2D) }
            text.append(Self.hexDigits[Int(byte >> 4)])
            text.append(Self.hexDigits[Int(byte & 0x0F)])
        }
    }

    func appendRandom(to text: inout [UInt8]) {
        for byte in random().prefix(8) {
            text.append(Self.hexDigits[Int(byte >> 4)])
            text.append(Self.hexDigits[Int(byte & 0x0F)])
        }
    }

    func fraction() -> Double {
        // As many bits as a Double has digits.
        Double(SystemRandom.seed() >> 11) / Double(UInt64(1) << 53)
    }

    private static let hexDigits = ASCII.bytes("0123456789abcdef")

    private func random() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { SystemRandom.fill($0) }
        return bytes
    }
}
