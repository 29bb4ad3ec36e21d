/// Puts together messages that do not lie whole in one read: fragmented ones (RFC 6455 section 5.4) and those cut by the end of the input.
///
/// One growing buffer, whatever the number of fragments, under the limit on message size; UTF-8 is checked as the bytes arrive.
package struct MessageAssembler: ~Copyable {
    private enum State {
        case idle
        case collecting(MessageKind)
        /// The message has been handed out as a view; its bytes go when the next one begins.
        case complete
    }

    private var state = State.idle
    private var buffer = ByteQueue()
    private var validator = UTF8Validator()
    package let sizeLimit: Int

    package init(sizeMax: Int) {
        sizeLimit = sizeMax
    }

    package var isCollecting: Bool {
        switch state {
        case .collecting: true
        case .idle, .complete: false
        }
    }

    /// Checks that a data frame with this header may come now, before any of its payload is taken.
    package mutating func begin(_ header: FrameHeader) throws(ProtocolError) {
        var collected = 0
        switch (state, header.opcode) {
        case (.collecting, .continuation):
            collected = buffer.count
        case (.collecting, _):
            throw .messageInsideFragments
        case (_, .continuation):
            throw .continuationWithoutStart
        case (_, let opcode):
            discard()
            state = .collecting(opcode == .text ? .text : .binary)
        }
        guard header.payloadSize <= UInt64(max(0, sizeLimit &- collected)) else { throw .messageTooLarge(limit: sizeLimit) }
    }

    /// Takes the next part of the frame's payload, unmasked.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(ProtocolError) {
        if case .collecting(.text) = state, !validator.append(bytes) { throw .textNotUTF8 }
        buffer.append(bytes)
    }

    /// Ends the message after its final frame. The view stays valid until the next `begin` or `discard`.
    package mutating func finish() throws(ProtocolError) -> Message? {
        guard case .collecting(let kind) = state else { return nil }
        if kind == .text && !validator.isComplete { throw .textNotUTF8 }
        state = .complete
        return Message(kind: kind, payload: buffer.bytes)
    }

    /// Forgets the message in progress, or gives back the memory of one that has been delivered.
    package mutating func discard() {
        state = .idle
        buffer.removeAll()
        validator = UTF8Validator()
    }

    package mutating func discardDelivered() {
        if case .complete = state { discard() }
    }
}
