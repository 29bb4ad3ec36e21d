/// Frames made byte by byte, and a driver that feeds a reader in chunks: written from the RFC, not with the code under test.
import WebSocket

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

/// Which of the three forms of RFC 6455 section 5.2 a length is written in.
enum LengthForm {
    case minimal
    case sixteenBits
    case sixtyFourBits
}

func frame(
    _ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, reserved: UInt8 = 0, key: [UInt8]? = nil, length: LengthForm = .minimal,
    announced: UInt64? = nil
) -> [UInt8] {
    let size = announced ?? UInt64(payload.count)
    let mask: UInt8 = key == nil ? 0 : 0x80
    var result: [UInt8] = [(isFinal ? 0x80 : 0) | reserved | opcode]
    let form: LengthForm = length != .minimal || size < 126 ? length : size <= 0xFFFF ? .sixteenBits : .sixtyFourBits
    switch form {
    case .minimal:
        result.append(mask | UInt8(size))
    case .sixteenBits:
        result += [mask | 126, UInt8(size >> 8), UInt8(size & 0xFF)]
    case .sixtyFourBits:
        result.append(mask | 127)
        for shift in stride(from: 56, through: 0, by: -8) { result.append(UInt8(size >> UInt64(shift) & 0xFF)) }
    }
    guard let key else { return result + payload }
    result += key
    for (index, byte) in payload.enumerated() { result.append(byte ^ key[index % 4]) }
    return result
}

/// What a reader gave, copied out of its views.
enum Received: Equatable {
    case message(MessageKind, [UInt8])
    case control(Opcode, [UInt8])
    case failed(ProtocolError)

    static func text(_ text: String) -> Received { .message(.text, bytes(text)) }
}

/// Feeds `chunks` to one reader and collects everything that comes out, in order.
func readFrames(_ chunks: [[UInt8]], role: Role = .client, messageSizeMax: Int = 1 << 20) -> [Received] {
    var reader = FrameReader(role: role, limits: MessageAssembler.Limits(messageSizeMax: messageSizeMax))
    var batch = MessageBatch()
    var received: [Received] = []
    for chunk in chunks {
        read(chunk, with: &reader, &batch, into: &received)
    }
    return received
}

func read(_ chunk: [UInt8], with reader: inout FrameReader, _ batch: inout MessageBatch, into received: inout [Received]) {
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, chunk.count), alignment: 1)
    defer { input.deallocate() }
    input.copyBytes(from: chunk)
    let readable = UnsafeMutableRawBufferPointer(rebasing: input[..<chunk.count])
    var consumed = 0
    while true {
        let outcome = reader.read(readable, consumed: &consumed, into: &batch)
        for message in batch.messages { received.append(.message(message.kind, [UInt8](message.payload))) }
        batch.removeAll()
        switch outcome {
        case .needsInput: return
        case .deliver: continue
        case .control(let opcode, let payload): received.append(.control(opcode, [UInt8](payload)))
        case .failed(let error): received.append(.failed(error))
        }
    }
}

/// Every way to cut `input` into two, and the cut into single bytes.
func splits(_ input: [UInt8]) -> [[[UInt8]]] {
    (0...input.count).map { [[UInt8](input[..<$0]), [UInt8](input[$0...])] } + [input.map { [$0] }]
}

/// A small generator for test data; its period and quality do not matter.
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 2_654_435_761 &+ 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 24) }
    }
}
