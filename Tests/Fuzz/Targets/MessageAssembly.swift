import WebSocket

/// Messages, valid or not, that are compressed or not and cut into frames any way: the same messages come out, up to the first bad one.
func examine(_ given: Input) {
    var input = given
    let role: Role = input.flag() ? .server : .client
    let limits = MessageAssembler.Limits(messageSizeMax: 200, partSize: input.flag() ? 16 : nil)
    let keepsContext = input.flag()
    let cut = input.choice() << 8 | input.choice()
    var sender = Sender(role: role, keepsContext: keepsContext)
    var expected: [Reading.Received] = []
    var isBroken = false
    while !input.isEmpty {
        let message = Reading.Received(kind: input.flag() ? .text : .binary, payload: input.take(input.choice()))
        sender.send(message, isCompressed: input.flag(), fragments: input.take(input.choice() % 8))
        isBroken =
            isBroken || message.payload.count > limits.messageSizeMax
            || message.kind == .text && String(validating: message.payload, as: UTF8.self) == nil
        if !isBroken { expected.append(message) }
    }
    let reading = sameForAllSplits([UInt8](sender.wire.bytes), cut: cut) { chunks in
        var reading = FrameReading(role: role, limits: limits, decompression: decompression(keepsContext: keepsContext)).read(chunks)
        // A message that is too long and no UTF-8 either is refused for what shows itself first, which splitting may change.
        if reading.error == .textNotUTF8 { reading.error = .messageTooLarge(limit: limits.messageSizeMax) }
        return reading
    }
    require(reading.messages == expected, "received \(reading.messages)\nexpected \(expected)")
    let error: ProtocolError? = isBroken ? .messageTooLarge(limit: limits.messageSizeMax) : nil
    require(reading.error == error, "ended with \(String(describing: reading.error))")
}

/// The other end: makes frames of messages.
private struct Sender: ~Copyable {
    private let maskingKey: MaskingKey?
    private let keepsContext: Bool
    private let deflater: any Deflater
    var wire = ByteQueue()

    init(role: Role, keepsContext: Bool) {
        maskingKey = role == .server ? MaskingKey(word: 0x9A5C_31E7) : nil
        self.keepsContext = keepsContext
        deflater = makeDeflater()
    }

    /// The sizes of all fragments but the last are given.
    mutating func send(_ message: Reading.Received, isCompressed: Bool, fragments: [UInt8]) {
        var rest = (isCompressed ? compress(message.payload) : message.payload)[...]
        var opcode = message.kind.opcode
        for size in fragments {
            appendFrame(
                opcode, isFinal: false, isCompressed: isCompressed && opcode != .continuation, [UInt8](rest.prefix(Int(size))),
                maskingKey: maskingKey, to: &wire)
            rest = rest.dropFirst(Int(size))
            opcode = .continuation
        }
        appendFrame(
            opcode, isFinal: true, isCompressed: isCompressed && opcode != .continuation, [UInt8](rest), maskingKey: maskingKey, to: &wire)
    }

    private func compress(_ payload: [UInt8]) -> [UInt8] {
        var output = ByteQueue()
        require(payload.withUnsafeBytes { deflater.deflate($0, into: &output) }, "not compressed: \(payload)")
        require(output.bytes.suffix(4).elementsEqual(Compression.tail), "compressed without an end: \(payload)")
        if !keepsContext { deflater.reset() }
        return [UInt8](output.bytes.dropLast(4))
    }
}
