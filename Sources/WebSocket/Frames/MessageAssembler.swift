/// Puts together messages that do not lie whole in one read: fragmented ones (RFC 6455 section 5.4), compressed ones (RFC 7692), and those cut
/// by the end of the input.
///
/// One growing buffer, whatever the number of fragments, under the limit on message size, which counts inflated bytes and is checked while
/// inflating; UTF-8 is checked as the bytes arrive. Messages larger than `partSize` are given out in parts.
package struct MessageAssembler: ~Copyable {
    package struct Limits {
        package var messageSizeMax: Int
        package var frameSizeMax: Int
        /// Messages are given out in parts of this size; nil gives them out whole.
        package var partSize: Int?

        package init(messageSizeMax: Int, frameSizeMax: Int? = nil, partSize: Int? = nil) {
            self.messageSizeMax = messageSizeMax
            self.frameSizeMax = frameSizeMax ?? messageSizeMax
            self.partSize = partSize
        }
    }

    private enum State {
        case idle
        case collecting(MessageKind)
        /// The message has been handed out as a view; its bytes go when everything in the batch was delivered.
        case complete
    }

    private var state = State.idle
    private var buffer = ByteQueue()
    /// Bytes at the buffer's front that have been handed out as a part.
    private var handedOut = 0
    /// Bytes of the present message that came in earlier parts.
    private var deliveredSize = 0
    private var validator = UTF8Validator()

    private let decompression: Decompression?
    private var isCompressed = false
    /// Bytes of the message as they came, compressed.
    private var compressedSize = 0
    /// The inflater filled the room it had, and may have more to give.
    private var hasMoreOutput = false
    /// Bytes of the tail that ends a compressed message which have been fed to the inflater.
    private var tailFed = 0

    /// Blocks of messages that stand in the batch, when further messages have begun since.
    private var retired: [Allocation] = []
    private var undeliveredSize = 0
    /// How much may be handed out before the batch has to be delivered.
    private static let undeliveredSizeMax = 65536

    package let limits: Limits

    package init(limits: Limits, decompression: Decompression?) {
        self.limits = limits
        self.decompression = decompression
    }

    package var isCollecting: Bool {
        switch state {
        case .collecting: true
        case .idle, .complete: false
        }
    }

    /// True when the messages handed out hold so much memory that they are to be delivered before more is read.
    package var wantsDelivery: Bool { undeliveredSize > Self.undeliveredSizeMax }

    /// Checks that a data frame with this header may come now, before any of its payload is taken.
    package mutating func begin(_ header: FrameHeader) throws(ProtocolError) {
        switch (state, header.opcode) {
        case (.collecting, .continuation):
            break
        case (.collecting, _):
            throw .messageInsideFragments
        case (_, .continuation):
            throw .continuationWithoutStart
        case (_, let opcode):
            beginMessage(opcode == .text ? .text : .binary, isCompressed: header.isCompressed)
        }
        // Of a compressed frame only the inflated size counts, and shows itself while inflating.
        let room = isCompressed ? compressedSizeMax &- compressedSize : limits.messageSizeMax &- size
        guard header.payloadSize <= UInt64(max(0, room)) else { throw .messageTooLarge(limit: limits.messageSizeMax) }
        guard header.payloadSize <= UInt64(max(0, limits.frameSizeMax)) else { throw .frameTooLarge(limit: limits.frameSizeMax) }
    }

    private mutating func beginMessage(_ kind: MessageKind, isCompressed: Bool) {
        if case .complete = state, let allocation = buffer.detach() {
            retired.append(allocation)
        } else {
            buffer.removeAll()
        }
        state = .collecting(kind)
        self.isCompressed = isCompressed
        (handedOut, deliveredSize, compressedSize, tailFed) = (0, 0, 0, 0)
        hasMoreOutput = false
        validator = UTF8Validator()
    }

    /// Bytes of the message so far, inflated.
    private var size: Int { deliveredSize &+ buffer.count }

    /// Deflate makes no message larger than this, however badly it is done; data that inflates to nothing must end somewhere too.
    private var compressedSizeMax: Int { limits.messageSizeMax &+ limits.messageSizeMax / 4 &+ 1024 }

    /// Room for the present part.
    private var partRoom: Int { limits.partSize.map { $0 &- buffer.count } ?? Int.max }

    /// Takes the next bytes of the frame's payload, unmasked. Gives their number: fewer than all if a part is complete.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ProtocolError) -> Int {
        if isCompressed {
            var consumed = 0
            try inflate(bytes, &consumed)
            compressedSize &+= consumed
            return consumed
        }
        let taken = UnsafeRawBufferPointer(rebasing: bytes[..<min(bytes.count, partRoom)])
        try validate(taken)
        buffer.append(taken)
        return taken.count
    }

    private mutating func validate(_ bytes: UnsafeRawBufferPointer) throws(ProtocolError) {
        if case .collecting(.text) = state, !validator.append(bytes) { throw .textNotUTF8 }
    }

    private mutating func inflate(_ input: UnsafeRawBufferPointer, _ consumed: inout Int) throws(ProtocolError) {
        guard let inflater = decompression?.inflater else { throw .reservedBits }
        while consumed < input.count || hasMoreOutput {
            guard partRoom > 0 else { return }
            // One byte beyond the limit, so that a message over it shows itself.
            let limit = limits.messageSizeMax &- size &+ 1
            let room = min(limit, partRoom, max(512, min(65536, (input.count &- consumed) &* 4)))
            let target = buffer.reserve(room)
            let before = consumed
            guard let count = inflater.inflate(input, consumed: &consumed, into: UnsafeMutableRawBufferPointer(start: target, count: room))
            else { throw .compressedDataInvalid }
            guard count < limit else { throw .messageTooLarge(limit: limits.messageSizeMax) }
            try validate(UnsafeRawBufferPointer(start: target, count: count))
            buffer.commit(count)
            hasMoreOutput = count == room
            if count == 0 && consumed == before && consumed < input.count { throw .compressedDataInvalid }
        }
    }

    /// The part that is complete, if the message goes on beyond it. Text is cut between code points. Valid until `discardDelivered`.
    package mutating func takePart() -> Message? {
        guard limits.partSize != nil, partRoom <= 0, case .collecting(let kind) = state else { return nil }
        handedOut = buffer.count &- (kind == .text ? validator.incompleteCount : 0)
        let payload = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<handedOut])
        return Message(kind: kind, part: deliveredSize == 0 ? .first : .middle, payload: payload)
    }

    /// Brings the message to its end after the final frame's payload; false if a part must be taken first.
    package mutating func complete() throws(ProtocolError) -> Bool {
        guard isCompressed else { return true }
        let tail = Compression.tail
        let result = tail.withUnsafeBytes { bytes -> Result<Int, ProtocolError> in
            var consumed = tailFed
            do throws(ProtocolError) {
                try inflate(bytes, &consumed)
                return .success(consumed)
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let fed): tailFed = fed
        case .failure(let error): throw error
        }
        guard tailFed == tail.count && !hasMoreOutput else { return false }
        if decompression?.keepsContext == false { decompression?.inflater.reset() }
        return true
    }

    /// Hands out the message, or its last part. The view stays valid until `discardDelivered`.
    package mutating func finish() throws(ProtocolError) -> Message? {
        guard case .collecting(let kind) = state else { return nil }
        if kind == .text && !validator.isComplete { throw .textNotUTF8 }
        state = .complete
        undeliveredSize &+= buffer.count
        return Message(kind: kind, part: deliveredSize == 0 ? .whole : .last, payload: buffer.bytes)
    }

    /// Everything handed out has been delivered: gives the memory back.
    package mutating func discardDelivered() {
        if !retired.isEmpty { retired.removeAll() }
        undeliveredSize = 0
        if handedOut > 0 {
            deliveredSize &+= handedOut
            buffer.removeFirst(handedOut)
            handedOut = 0
        }
        if case .complete = state {
            state = .idle
            buffer.removeAll()
        }
    }
}
