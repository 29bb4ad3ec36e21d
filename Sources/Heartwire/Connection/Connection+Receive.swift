import Heartbeat
import Session
import WebSocket

/// The path of received bytes: stream, session, batch, host. Runs on the I/O thread.
extension Connection {
    /// Read in a turn where messages may be compressed. It inflates to a thousand times as much at most; all heartbeats of the thread
    /// wait for that, and the inbox takes it in.
    private static let compressedReadSize = 16384
    /// Messages that concern rules in a batch from which on less is read in a turn: each costs more than one that is only passed on.
    private static let concernedMany = 64
    /// Answers that are written together.
    private static let answersMany = 16

    /// Reads what the stream holds, up to a few buffers, so that one fast peer does not keep the others waiting; true if nothing is left.
    func receive(_ channel: Channel) -> Bool {
        let isLimited = session.mayInflate(channel.place) || plan.decodesMessages || isBusyWithRules
        isBusyWithRules = false
        let buffer = UnsafeMutableRawBufferPointer(rebasing: io.receiveBuffer.prefix(isLimited ? Self.compressedReadSize : .max))
        for _ in 0..<(isLimited ? 1 : 4) {
            guard !channel.isReadingPaused, let result = readStream(channel, into: buffer) else { return false }
            switch result {
            case .wouldBlock:
                return true
            case .wouldBlockOnOpposite:
                readAgainWhenWritable(channel)
                return true
            case .ended(let failure):
                withSession { $0.transportEnded(channel.place, failure, io.now, &$1) }
                if session.isAnswering { pauseReading(channel) }
                return true
            case .bytes(let count):
                process(channel, UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
                // A socket that gave less than it could is empty; another read would only say so.
                if count < buffer.count && !hasPendingBytes(channel) { return true }
            }
        }
        io.readAgain(self)
        return false
    }

    /// In a later turn: goes on with what `receive` and `settle` left.
    func readPending() {
        for place in [LinkPlace.first, .second] {
            let channel = channel(place)
            if channel.hasStream { _ = receive(channel) }
        }
        settle()
    }

    private func process(_ channel: Channel, _ input: UnsafeMutableRawBufferPointer) {
        let place = channel.place
        var consumed = 0
        /// Up to here the bytes have been counted; those of the opening handshake never are.
        var counted = 0
        while true {
            let outcome = session.read(place, input, consumed: &consumed, into: &io.batch)
            switch outcome {
            case .needsInput:
                deliverBatch(channel, &counted, consumed)
                return
            case .deliver:
                deliverBatch(channel, &counted, consumed)
            case .control(let opcode, let payload):
                // What came before a close frame is delivered before it takes effect.
                if opcode == .close { deliverBatch(channel, &counted, consumed) }
                withSession { $0.controlReceived(place, opcode, payload: payload, io.now, &$1) }
            case .failed(let error):
                deliverBatch(channel, &counted, consumed)
                withSession { $0.protocolFailed(place, error, io.now, &$1) }
            case .opened(let agreement):
                counted = consumed
                addressMemory.opened()
                withSession { $0.handshakeSucceeded(place, agreement, io.now, &$1) }
                // The host hears that the connection is open before it gets the first message.
                settle()
            case .requested(let request):
                counted = consumed
                requested(request, isLast: consumed == input.count)
            case .requestRefused(let error):
                if refuses() || servesPage(channel) { return }
                turnAway(AcceptFailure(error), .refusedRequest)
                settle()
                return
            case .refused(let error):
                withSession { $0.handshakeFailed(place, error, io.now, &$1) }
                // After a redirect the next transport takes over at once: what is left of this one's bytes is not for it.
                settle()
                return
            }
        }
    }

    /// Counts what was read, then delivers the batch: whoever gets a message finds it in the metrics.
    private func deliverBatch(_ channel: Channel, _ counted: inout Int, _ consumed: Int) {
        session.received(channel.place, bytes: consumed &- counted, messages: io.batch.endedCount, io.now)
        counted = consumed
        publishMetrics()
        guard !io.batch.isEmpty else { return }
        runRules(channel)
        deliver(io.batch.messages, by: channel)
        io.batch.removeAll()
    }

    /// Has the heartbeat rules look at the batch before the host does. Most messages concern no rule, which is seen without the lock; an
    /// answer is written at once.
    private func runRules(_ channel: Channel) {
        guard session.looksAtMessages(channel.place) else { return }
        var index = 0
        var concerned = 0
        while index < io.batch.count {
            let message = io.batch.messages[index]
            guard session.isConcerned(channel.place, by: message, io.now) else {
                index += 1
                continue
            }
            concerned += 1
            var isConsumed = false
            withSession { isConsumed = $0.messageReceived(channel.place, message, io.ruleScratch, io.now, &$1) }
            if isConsumed { io.batch.remove(at: index) } else { index += 1 }
            // Only so many answers can wait at a time.
            if session.hasRefusedHeartbeats(channel.place) || concerned.isMultiple(of: Self.answersMany) { flushAnswers(channel) }
        }
        guard concerned > 0 else { return }
        isBusyWithRules = isBusyWithRules || concerned >= Self.concernedMany
        // Not everything that rules find is an event.
        publishHeartbeats()
        flushAnswers(channel)
    }
}
