import WebSocket

/// What a frame reader gave, copied out of its views. Control frames overtake the messages before them, except for close frames.
struct Reading: Equatable {
    struct Received: Equatable {
        let kind: MessageKind
        var payload: [UInt8]
    }

    struct Control: Equatable {
        let opcode: Opcode
        let payload: [UInt8]
    }

    /// Complete messages, put together from their parts.
    var messages: [Received] = []
    var controls: [Control] = []
    var error: ProtocolError?
}

/// Reads chunks as a connection does: the batch is delivered when the reader asks for it, before a close frame, and at a chunk's end.
struct FrameReading: ~Copyable {
    private let limits: MessageAssembler.Limits
    private var reader: FrameReader
    private var batch = MessageBatch()
    private var reading = Reading()
    private var begun: Reading.Received?

    init(role: Role, limits: MessageAssembler.Limits, decompression: Decompression? = nil) {
        self.limits = limits
        reader = FrameReader(role: role, limits: limits, decompression: decompression)
    }

    /// What the reader gives for the chunks, one after the other.
    consuming func read(_ chunks: [ArraySlice<UInt8>]) -> Reading {
        for chunk in chunks {
            let block = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk.count, alignment: 1)
            block.copyBytes(from: chunk)
            readChunk(block)
            block.deallocate()
        }
        return reading
    }

    private mutating func readChunk(_ input: UnsafeMutableRawBufferPointer) {
        var consumed = 0
        while true {
            let before = consumed
            let outcome = reader.read(input, consumed: &consumed, into: &batch)
            require(consumed >= before && consumed <= input.count, "consumed \(before), then \(consumed) of \(input.count)")
            switch outcome {
            case .needsInput:
                require(consumed == input.count, "wants input but left \(input.count - consumed) bytes")
                deliver()
                return
            case .deliver:
                require(!batch.isEmpty, "nothing to deliver")
                deliver()
            case .control(let opcode, let payload):
                require(payload.count <= 125, "a control frame of \(payload.count) bytes")
                if opcode == .close { deliver() }
                reading.controls.append(Reading.Control(opcode: opcode, payload: [UInt8](payload)))
            case .failed(let error):
                require(reading.error == nil, "failed again")
                deliver()
                reading.error = error
            }
        }
    }

    private mutating func deliver() {
        require(reading.error == nil || batch.isEmpty, "a message after a failure")
        for message in batch.messages {
            switch message.part {
            case .whole, .first:
                require(begun == nil, "a message began inside another")
                begun = Reading.Received(kind: message.kind, payload: [])
            case .middle, .last:
                require(begun?.kind == message.kind, "a part of no message")
            }
            if let partSize = limits.partSize { require(message.payload.count <= partSize, "a part of \(message.payload.count) bytes") }
            requireText(message)
            begun?.payload += message.payload
            if message.part == .whole || message.part == .last { finishMessage() }
        }
        batch.removeAll()
    }

    /// Text is delivered in pieces that are UTF-8 each.
    private func requireText(_ message: Message) {
        guard message.kind == .text else { return }
        require(String(validating: message.payload, as: UTF8.self) != nil, "text that is not UTF-8")
    }

    private mutating func finishMessage() {
        guard let message = begun else { return }
        require(message.payload.count <= limits.messageSizeMax, "a message of \(message.payload.count) bytes")
        reading.messages.append(message)
        begun = nil
    }
}
