import Heartbeat
import WebSocket

/// What client and server agree on outside of the code that is tested: a toy in place of SHA-1, and the wall clock.
enum Handshake {
    private static let digits = ASCII.bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

    static func nonce(_ dice: Dice) -> HandshakeNonce {
        let key = (0..<22).map { _ in dice.pick(digits) } + [0x3D, 0x3D]
        return HandshakeNonce(key: key, accept: proof(key))
    }

    static func proof(_ key: [UInt8]) -> [UInt8] { key.dropLast(2).reversed() + ASCII.bytes("ok") }

    static func unixTime(_ now: Instant) -> Int64 { 1_700_000_000 + now.nanoseconds / 1_000_000_000 }
}
