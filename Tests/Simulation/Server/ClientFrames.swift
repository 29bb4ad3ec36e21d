import WebSocket

/// What a client has sent on one connection, frame by frame, so that each is known with the position where it ends.
struct ClientFrames: ~Copyable {
    enum Item {
        case message(MessageKind, [UInt8])
        case control(Opcode, [UInt8])
        case broken(ProtocolError)
    }

    private var reader = FrameReader(role: .server, limits: MessageAssembler.Limits(messageSizeMax: 1 << 24))
    private var batch = MessageBatch()
    private var pending: [UInt8] = []
    private var offset = 0
    /// Bytes taken in whole frames so far.
    private(set) var position: UInt64
    private var isBroken = false

    init(position: UInt64) {
        self.position = position
    }

    mutating func append(_ bytes: ArraySlice<UInt8>) {
        if offset > 65536 {
            pending.removeFirst(offset)
            offset = 0
        }
        pending += bytes
    }

    /// The next message or control frame that has come whole.
    mutating func next() -> Item? {
        while !isBroken, let size = frameSize(), pending.count - offset >= size {
            let frame = offset..<(offset + size)
            offset += size
            position += UInt64(size)
            if let item = read(frame) { return item }
        }
        return nil
    }

    /// The size of the frame that begins here; nil if that cannot be told yet. Of a header that breaks the rules it is the header's.
    private func frameSize() -> Int? {
        guard pending.count - offset >= 2 else { return nil }
        let headerSize = FrameHeader.size(secondByte: pending[offset + 1])
        guard pending.count - offset >= headerSize else { return nil }
        return pending[offset..<(offset + headerSize)].withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let header = try? FrameHeader(at: base, receiver: .server, allowsCompression: false)
            else { return headerSize }
            return headerSize + Int(clamping: header.payloadSize)
        }
    }

    private mutating func read(_ frame: Range<Int>) -> Item? {
        var consumed = 0
        // Written as a loop over a copy, because the reader unmasks in place and keeps no reference.
        var bytes = [UInt8](pending[frame])
        return bytes.withUnsafeMutableBytes { input in
            while true {
                switch reader.read(input, consumed: &consumed, into: &batch) {
                case .control(let opcode, let payload): return .control(opcode, [UInt8](payload))
                case .failed(let error):
                    isBroken = true
                    return .broken(error)
                case .needsInput, .deliver:
                    guard let message = batch.messages.first else { return nil }
                    defer { batch.removeAll() }
                    return .message(message.kind, [UInt8](message.payload))
                }
            }
        }
    }
}
