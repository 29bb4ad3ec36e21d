/// Reads frames (RFC 6455 section 5) from bytes as they arrive, and gives complete messages and control frames.
///
/// A message that lies whole and uncompressed in the input is handed out as a view into it: nothing is copied and nothing allocated. After an
/// error the reader takes no more input (section 7.1.7: data after a failure is not processed).
package struct FrameReader: ~Copyable {
    package enum Outcome {
        /// All input is consumed.
        case needsInput
        /// The batch must be delivered before reading on: it is full, or the reader's own buffers hold much of it.
        case deliver
        /// A control frame; its payload is valid until the next read.
        case control(Opcode, payload: UnsafeRawBufferPointer)
        case failed(ProtocolError)
    }

    private enum State {
        /// Before or inside a header, of which `stash` holds the first bytes.
        case header
        /// Inside the payload of a frame.
        case payload(FrameHeader, remaining: Int)
        case failed
    }

    private var state = State.header
    private var stash = ByteQueue()
    private var assembler: MessageAssembler
    private let role: Role
    package let allowsCompression: Bool
    /// Messages up to this size are taken from the input in one step, if they lie there whole.
    private let wholeSizeMax: UInt64

    package init(role: Role, limits: MessageAssembler.Limits, decompression: Decompression? = nil) {
        self.role = role
        allowsCompression = decompression != nil
        assembler = MessageAssembler(limits: limits, decompression: decompression)
        wholeSizeMax = UInt64(max(0, min(limits.messageSizeMax, limits.frameSizeMax, limits.partSize ?? .max)))
    }

    /// Reads from `input` at `consumed`, which moves on. The input is unmasked in place in the server role. Messages in the batch stay valid
    /// until the first read that finds it empty.
    package mutating func read(
        _ input: UnsafeMutableRawBufferPointer, consumed: inout Int, into batch: inout MessageBatch
    ) -> Outcome {
        if batch.isEmpty { assembler.discardDelivered() }
        do throws(ProtocolError) {
            return try advance(input, &consumed, &batch)
        } catch {
            state = .failed
            stash.removeAll()
            return .failed(error)
        }
    }

    @_optimize(speed)
    private mutating func advance(
        _ input: UnsafeMutableRawBufferPointer, _ consumed: inout Int, _ batch: inout MessageBatch
    ) throws(ProtocolError) -> Outcome {
        guard let base = input.baseAddress else { return .needsInput }
        while true {
            switch state {
            case .failed:
                consumed = input.count
                return .needsInput
            case .header:
                guard let header = try nextHeader(base, input.count, &consumed) else { return .needsInput }
                if let outcome = try begin(header, base, input.count, &consumed, &batch) { return outcome }
            case .payload(let header, let remaining):
                // A frame may end exactly where the input does: an empty payload needs no input.
                if remaining > 0 && consumed == input.count { return .needsInput }
                if let outcome = try takePayload(header, remaining, base, input.count, &consumed, &batch) { return outcome }
            }
        }
    }

    /// The header at `consumed`, or nil if the input ends inside it; its bytes are stashed then.
    @_optimize(speed)
    private mutating func nextHeader(
        _ base: UnsafeMutableRawPointer, _ count: Int, _ consumed: inout Int
    ) throws(ProtocolError) -> FrameHeader? {
        if stash.isEmpty && count &- consumed >= 2 {
            let start = UnsafeRawPointer(base + consumed)
            let size = FrameHeader.size(secondByte: start.load(fromByteOffset: 1, as: UInt8.self))
            if count &- consumed >= size {
                consumed &+= size
                return try FrameHeader(at: start, receiver: role, allowsCompression: allowsCompression)
            }
        }
        while consumed < count {
            stash.append(base.load(fromByteOffset: consumed, as: UInt8.self))
            consumed &+= 1
            guard stash.count >= 2, stash.count == FrameHeader.size(secondByte: stash.bytes[1]),
                let start = stash.bytes.baseAddress
            else { continue }
            let header = try FrameHeader(at: start, receiver: role, allowsCompression: allowsCompression)
            stash.removeAll()
            return header
        }
        return nil
    }

    /// Starts on the payload of a frame: in one step if it lies whole in the input, else by way of the stash or the assembler.
    @_optimize(speed)
    private mutating func begin(
        _ header: FrameHeader, _ base: UnsafeMutableRawPointer, _ count: Int, _ consumed: inout Int, _ batch: inout MessageBatch
    ) throws(ProtocolError) -> Outcome? {
        let available = count &- consumed
        let isWhole = header.payloadSize <= UInt64(truncatingIfNeeded: available)
        if header.opcode.isControl {
            let size = Int(truncatingIfNeeded: header.payloadSize)
            guard isWhole else {
                state = .payload(header, remaining: size)
                return nil
            }
            return .control(header.opcode, payload: view(header.maskingKey, base, size, &consumed))
        }
        if isWhole && header.isFinal && !header.isCompressed && !assembler.isCollecting && header.opcode != .continuation
            && header.payloadSize <= wholeSizeMax
        {
            return try takeWhole(header, base, &consumed, &batch)
        }
        try assembler.begin(header)
        // The assembler has checked the size against its limits, which are Ints.
        state = .payload(header, remaining: Int(truncatingIfNeeded: header.payloadSize))
        return nil
    }

    /// The common case: a message in one frame, whole in the input.
    @_optimize(speed)
    private mutating func takeWhole(
        _ header: FrameHeader, _ base: UnsafeMutableRawPointer, _ consumed: inout Int, _ batch: inout MessageBatch
    ) throws(ProtocolError) -> Outcome? {
        let payload = view(header.maskingKey, base, Int(truncatingIfNeeded: header.payloadSize), &consumed)
        let kind: MessageKind = header.opcode == .text ? .text : .binary
        if kind == .text && !UTF8Validator.isValid(payload) { throw .textNotUTF8 }
        batch.append(Message(kind: kind, payload: payload))
        return batch.isFull ? .deliver : nil
    }

    @inline(never)
    private mutating func takePayload(
        _ header: FrameHeader, _ remaining: Int, _ base: UnsafeMutableRawPointer, _ count: Int, _ consumed: inout Int,
        _ batch: inout MessageBatch
    ) throws(ProtocolError) -> Outcome? {
        let size = min(remaining, count &- consumed)
        let done = Int(truncatingIfNeeded: header.payloadSize) &- remaining
        let key = header.maskingKey?.advanced(by: done)
        let bytes = view(key, base, size, &consumed)
        if header.opcode.isControl {
            stash.append(bytes)
            state = .payload(header, remaining: remaining &- size)
            guard remaining == size else { return nil }
            state = .header
            defer { stash.removeAll() }
            return .control(header.opcode, payload: stash.bytes)
        }
        let taken = try assembler.append(bytes)
        if taken < size {
            // Masked again: the rest comes by here once more.
            consumed &-= size &- taken
            key?.advanced(by: taken).apply(from: base + consumed, to: base + consumed, count: size &- taken)
        }
        let left = remaining &- taken
        state = .payload(header, remaining: left)
        return left == 0 ? try endFrame(header, &batch) : deliverPart(&batch)
    }

    /// After the last byte of a frame: ends the message if the frame is its last.
    private mutating func endFrame(_ header: FrameHeader, _ batch: inout MessageBatch) throws(ProtocolError) -> Outcome? {
        if header.isFinal {
            // What is left inside the inflater comes in a further part, by the next read.
            guard try assembler.complete() else { return deliverPart(&batch) }
            state = .header
            guard let message = try assembler.finish() else { return nil }
            batch.append(message)
            return batch.isFull || assembler.wantsDelivery ? .deliver : nil
        }
        if let outcome = deliverPart(&batch) { return outcome }
        state = .header
        return nil
    }

    private mutating func deliverPart(_ batch: inout MessageBatch) -> Outcome? {
        guard let part = assembler.takePart() else { return nil }
        batch.append(part)
        return .deliver
    }

    /// The next `size` bytes of the input, unmasked, as a view.
    private func view(
        _ key: MaskingKey?, _ base: UnsafeMutableRawPointer, _ size: Int, _ consumed: inout Int
    ) -> UnsafeRawBufferPointer {
        let start = base + consumed
        key?.apply(from: start, to: start, count: size)
        consumed &+= size
        return UnsafeRawBufferPointer(start: start, count: size)
    }
}
