import Heartbeat
import WebSocket

/// From messages to frames on the wire.
extension Outbox {
    var canSendFrames: Bool {
        switch mode {
        case .open, .closing: true
        case .offline, .handshake, .closed: false
        }
    }

    /// Puts the next frame of the queue on the wire, and gives how many bytes of a message went into it; nil if there is nothing to put there.
    @_optimize(speed)
    func encodeNext() -> Int? {
        putPendingBeats()
        if opening.hasUnbegun, let fragment = opening.nextFragment(sizeMax: fragmentSize, wireWritten: wireWritten) {
            guard put(fragment) else { return nil }
            opening.encoded(fragment.bytes.count, isFinal: fragment.isFinal, wireEnd: wireWritten)
            if fragment.isFinal, let beat = fragment.beat { mark(beat, fragment.kind.opcode) }
            return fragment.bytes.count
        }
        // A message that has begun goes on to its end: no other may come between its fragments.
        guard takesQueue || queue.isInsideMessage else { return nil }
        guard let fragment = queue.nextFragment(sizeMax: fragmentSize, wireWritten: wireWritten) else {
            if case .closing(let frame) = mode { putClose(frame) }
            return nil
        }
        guard put(fragment) else { return nil }
        if fragment.isFinal && fragment.tag == nil { messagesEncoded &+= 1 }
        queue.encoded(fragment.bytes.count, isFinal: fragment.isFinal, wireEnd: wireWritten)
        if fragment.isFinal, let beat = fragment.beat { mark(beat, fragment.kind.opcode) }
        return fragment.bytes.count
    }

    /// False if the message cannot be compressed: the connection closes.
    @_optimize(speed)
    func put(_ fragment: MessageQueue.Fragment) -> Bool {
        let opcode = fragment.isFirst ? fragment.kind.opcode : .continuation
        if fragment.isCompressed {
            hasForeignContext = true
            putFrame(opcode, isFinal: fragment.isFinal, isCompressed: fragment.isFirst, fragment.bytes)
            return true
        }
        if fragment.isFirst { isMessageCompressed = compression.map { fragment.messageSize >= $0.threshold } ?? false }
        if isMessageCompressed, let compression { return putCompressed(fragment, opcode, compression) }
        putFrame(opcode, isFinal: fragment.isFinal, fragment.bytes)
        return true
    }

    /// Each fragment is flushed to its end, so that it can leave at once; the flush's own tail is left out at the end of the message. A stream
    /// that breaks costs the connection and no message: they wait for the next.
    func putCompressed(_ fragment: MessageQueue.Fragment, _ opcode: Opcode, _ compression: Compression) -> Bool {
        if hasForeignContext {
            compression.deflater.reset()
            hasForeignContext = false
        }
        guard compression.deflater.deflate(fragment.bytes, into: &compressed) else {
            closeNow(CloseFrame(code: CloseCode.internalError, reason: ASCII.bytes("compression failed")))
            return false
        }
        if fragment.isFinal {
            compressed.removeLast(Compression.tail.count)
            if !compression.keepsContext { compression.deflater.reset() }
        }
        putFrame(opcode, isFinal: fragment.isFinal, isCompressed: fragment.isFirst, compressed.bytes)
        compressed.removeAll()
        return true
    }

    /// A beat is a data frame, so it may not stand between the fragments of a message (RFC 6455 section 5.4).
    func putPendingBeats() {
        guard !pendingBeats.isEmpty, !queue.isInsideMessage, !opening.isInsideMessage else { return }
        for beat in pendingBeats {
            let opcode = beat.opcode == .binary ? Opcode.binary : .text
            beat.payload.withUnsafeBytes { putFrame(opcode, isFinal: true, $0) }
            mark(beat.purpose, opcode)
        }
        pendingBeats = []
    }

    func mark(_ purpose: OutgoingHeartbeat.Purpose, _ opcode: Opcode) {
        unsentBeats &+= 1
        marks.append(Mark(frame: .heartbeat(purpose), opcode: opcode, wireEnd: wireWritten))
    }

    func putClose(_ frame: CloseFrame) {
        frame.payload.withUnsafeBytes { putFrame(.close, isFinal: true, $0) }
        mode = .closed
        hasSentKept = false
        pendingBeats = []
    }

    @inline(never)
    @_optimize(speed)
    func putFrame(
        _ opcode: Opcode, isFinal: Bool, isCompressed: Bool = false, _ payload: UnsafeRawBufferPointer
    ) {
        let key: MaskingKey? =
            switch role {
            case .client: keys.next()
            case .server: nil
            }
        put { FrameWriter.append(opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, payload: payload, maskingKey: key, to: &$0) }
    }

    func put(_ write: (inout ByteQueue) -> Void) {
        let before = wire.count
        write(&wire)
        wireWritten &+= UInt64(wire.count &- before)
    }
}
