import WebSocket

/// Any bytes as the compressed payload of messages, in frames that are well made.
func examine(_ given: Input) {
    var input = given
    let limits = MessageAssembler.Limits(messageSizeMax: input.flag() ? 100 : 4096, partSize: input.flag() ? 16 : nil)
    let keepsContext = input.flag()
    let cut = input.choice() << 8 | input.choice()
    var wire = ByteQueue()
    while !input.isEmpty {
        let kind: MessageKind = input.flag() ? .text : .binary
        let first = input.take(input.choice())
        let second = input.take(input.choice())
        appendFrame(kind.opcode, isFinal: false, isCompressed: true, first, to: &wire)
        appendFrame(.continuation, isFinal: true, second, to: &wire)
    }
    _ = sameForAllSplits([UInt8](wire.bytes), cut: cut) { chunks in
        var reading = FrameReading(role: .client, limits: limits, decompression: decompression(keepsContext: keepsContext)).read(chunks)
        // What is wrong in more ways than one shows itself in another order when less is inflated at a time.
        if let error = reading.error, error.closeCode != 1002 { reading.error = .compressedDataInvalid }
        return reading
    }
}
