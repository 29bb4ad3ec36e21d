/// What went over a connection's wire, taken apart again.
import Heartbeat
import Session
import Testing
import WebSocket

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

func ruleSet(_ text: String) throws -> RuleSet {
    var compiler = RuleCompiler()
    try compiler.add(bytes(text), asPreset: false)
    return try compiler.finish()
}

struct SentFrame: Equatable, CustomStringConvertible {
    let opcode: Opcode
    let isFinal: Bool
    let payload: [UInt8]

    init(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) {
        self.opcode = opcode
        self.isFinal = isFinal
        self.payload = payload
    }

    var description: String { "\(opcode)\(isFinal ? "" : "...") \(payload.count) bytes \(payload.prefix(8))" }

    /// The whole frames at the start of `stream`, and the size of what follows them.
    static func parse(_ stream: [UInt8], receiver: Role = .server) throws -> (frames: [SentFrame], incomplete: Int) {
        var frames: [SentFrame] = []
        var rest = stream[...]
        while rest.count >= 2 {
            let headerSize = FrameHeader.size(secondByte: rest[rest.startIndex + 1])
            guard rest.count >= headerSize else { break }
            let header = try rest.withUnsafeBytes {
                try FrameHeader(at: $0.baseAddress.unsafelyUnwrapped, receiver: receiver, allowsCompression: true)
            }
            guard rest.count - headerSize >= Int(header.payloadSize) else { break }
            rest.removeFirst(headerSize)
            var payload = [UInt8](rest.prefix(Int(header.payloadSize)))
            rest.removeFirst(payload.count)
            payload.withUnsafeMutableBytes {
                guard let base = $0.baseAddress else { return }
                header.maskingKey?.apply(from: UnsafeRawPointer(base), to: base, count: $0.count)
            }
            frames.append(SentFrame(header.opcode, payload, isFinal: header.isFinal))
        }
        return (frames, rest.count)
    }

    static func write(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true) -> [UInt8] {
        var queue = ByteQueue()
        payload.withUnsafeBytes { FrameWriter.append(opcode: opcode, isFinal: isFinal, payload: $0, maskingKey: nil, to: &queue) }
        return [UInt8](queue.bytes)
    }
}

/// Randomness that is different each time and the same in every run.
func countingRandomness() -> (UnsafeMutableRawBufferPointer) -> Void {
    var counter: UInt8 = 0
    return { buffer in
        for index in buffer.indices {
            counter &+= 37
            buffer[index] = counter
        }
    }
}

/// An outbox and everything that was transmitted from it.
final class OutboxHarness {
    var outbox: Outbox
    private(set) var sent: [UInt8] = []
    var now = Instant(nanoseconds: 0)

    init(messagesMax: Int = 1000, bytesMax: Int = 1 << 20, fragmentSize: Int = 65536, role: Role = .client, hasBeats: Bool = false) {
        outbox = Outbox(
            role: role, limits: .init(messagesMax: messagesMax, bytesMax: bytesMax, fragmentSize: fragmentSize, hasBeats: hasBeats),
            fillRandom: countingRandomness())
    }

    func enqueue(_ payload: [UInt8], _ kind: MessageKind = .binary) -> Outbox.Admission {
        payload.withUnsafeBytes { outbox.enqueue(kind, $0) }
    }

    func pong(_ payload: [UInt8], atOnce: Bool = true) {
        payload.withUnsafeBytes { outbox.pong($0, received: now, atOnce: atOnce) }
    }

    @discardableResult
    func ping(_ payload: UInt64) -> Bool {
        outbox.heartbeat(OutgoingHeartbeat(.ping, .ping, withUnsafeBytes(of: payload.bigEndian) { [UInt8]($0) }))
    }

    /// A beat of the rule `index`, "beat".
    @discardableResult
    func beat(_ index: Int = 0, followsQueue: Bool = false) -> Bool {
        outbox.heartbeat(OutgoingHeartbeat(.beat(index), .text, bytes("beat"), followsQueue: followsQueue))
    }

    var hasClosed: Bool { outbox.hasClosed }

    var pending: Int { outbox.nextTransmit().count }

    /// Hands over at most `limit` bytes, `chunk` at a time.
    func transmit(chunk: Int = .max, limit: Int = .max) {
        var left = limit
        while left > 0 {
            let next = outbox.nextTransmit()
            let count = min(next.count, chunk, left)
            if count == 0 { return }
            sent += next.prefix(count)
            outbox.transmitted(count, now)
            left -= count
        }
    }

    /// Everything that was sent since the last call, as frames.
    func takeFrames() throws -> [SentFrame] {
        let (frames, incomplete) = try SentFrame.parse(sent)
        #expect(incomplete == 0)
        sent = []
        return frames
    }

    func takeSent() -> [UInt8] {
        defer { sent = [] }
        return sent
    }
}

extension Outbox {
    /// Open to messages at once, without an opening script.
    func openWithQueue(_ compression: Compression? = nil) {
        open(compression)
        openQueue()
    }
}
