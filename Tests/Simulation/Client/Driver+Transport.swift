import Heartbeat
import Session
import WebSocket

/// The driver's lines: opened, written to, read from, broken and closed.
extension Driver {
    func openTransport(_ channel: Channel) {
        lastSerial += 1
        channel.serial = lastSerial
        let attempt = channel.serial
        client.attemptBegan(channel.place)
        network.connect(session.target(of: channel.place)) { [self] result in
            machine.socketReady { [self] in
                guard attempt == channel.serial, !isTornDown else {
                    if case .line(let line) = result { line.closeClient(isReset: false) }
                    return
                }
                switch result {
                case .line(let line): attach(line, channel)
                case .failure(let failure): session.transportEnded(channel.place, failure, machine.now, &outboxes)
                }
                settle()
            }
        }
    }

    private func attach(_ line: Line, _ channel: Channel) {
        channel.line = line
        whenReady(channel, { line.toClient.onReadable = $0 }) { driver in
            if !channel.isReadingPaused { _ = driver.receive(channel) }
        }
        whenReady(channel, { line.clientHears = $0 }) { driver in
            if !channel.isReadingPaused { _ = driver.receive(channel) }
        }
        whenReady(channel, { line.toServer.onWritable = $0 }) { _ in channel.waitsToWrite = false }
        client.transportOpened(line, channel.place)
        session.transportOpened(channel.place, Handshake.nonce(dice), unixTime: Handshake.unixTime(machine.now), &outboxes)
    }

    /// Has the poller's report of this channel's present attempt lead to `action` in a turn.
    private func whenReady(_ channel: Channel, _ install: (@escaping () -> Void) -> Void, _ action: @escaping (Driver) -> Void) {
        let attempt = channel.serial
        install { [self] in
            machine.socketReady { [self] in
                guard attempt == channel.serial, !isTornDown else { return }
                action(self)
                settle()
            }
        }
    }

    func closeTransport(_ channel: Channel) {
        lastSerial += 1
        channel.serial = lastSerial
        channel.close(isReset: dice.oneIn(2))
        outboxes.existing(channel.place)?.connectionEnded()
    }

    func postBroken(_ channel: Channel) {
        let attempt = channel.serial
        machine.post { [self] in
            guard attempt == channel.serial, channel.line != nil, !channel.isReadingPaused, !isTornDown else { return }
            if receive(channel) {
                session.transportEnded(channel.place, Self.lost, machine.now, &outboxes)
            } else {
                postBroken(channel)
            }
            settle()
        }
    }

    private static let lost = TransportFailure(kind: .lost, nativeCode: 104, sentence: "the connection was reset")
    private static let ended = TransportFailure(kind: .lost, nativeCode: 0, sentence: "the peer ended the connection")

    // MARK: Writing

    private static let writesMax = 4

    func flush(_ channel: Channel) {
        guard channel.line != nil else { return }
        repeat {
            if !channel.waitsToWrite && !write(channel, machine.now) { postBroken(channel) }
        } while session.written(channel.place, machine.now, &outboxes)
    }

    /// False if the line has just been found broken.
    func write(_ channel: Channel, _ now: Instant) -> Bool {
        guard let line = channel.line, !channel.writeFailed else { return true }
        var wholeWrites = 0
        while wholeWrites < Self.writesMax {
            if outboxes[channel.place].nextExpiry != nil { outboxes[channel.place].expire(now) }
            let bytes = outboxes[channel.place].nextTransmit()
            if bytes.isEmpty { return true }
            if line.isBroken {
                channel.writeFailed = true
                return false
            }
            let count = line.toServer.write(bytes)
            if count == 0 {
                channel.waitsToWrite = true
                return true
            }
            if count == bytes.count { wholeWrites += 1 }
            client.wrote(bytes.count, count)
            outboxes[channel.place].transmitted(count, now)
        }
        // The rest is for the next turn.
        channel.waitsToWrite = true
        whenReady(channel, { $0() }) { _ in channel.waitsToWrite = false }
        return true
    }

    // MARK: Reading

    /// True if nothing is left.
    func receive(_ channel: Channel) -> Bool {
        var total = 0
        while total < 4 * buffer.count {
            guard !channel.isReadingPaused, let line = channel.line else { return false }
            let count = line.toClient.read(into: buffer)
            if count == 0 {
                if line.isBroken || line.toClient.isAtEnd {
                    session.transportEnded(channel.place, line.isBroken ? Self.lost : Self.ended, machine.now, &outboxes)
                }
                return true
            }
            total += count
            process(channel, UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
        }
        readAgain()
        return false
    }

    private func process(_ channel: Channel, _ input: UnsafeMutableRawBufferPointer) {
        let place = channel.place
        var consumed = 0
        var counted = 0
        while true {
            switch session.read(place, input, consumed: &consumed, into: &batch) {
            case .needsInput:
                deliverBatch(channel, &counted, consumed)
                return
            case .deliver:
                deliverBatch(channel, &counted, consumed)
            case .control(let opcode, let payload):
                if opcode == .close { deliverBatch(channel, &counted, consumed) }
                session.controlReceived(place, opcode, payload: payload, machine.now, &outboxes)
            case .failed(let error):
                deliverBatch(channel, &counted, consumed)
                session.protocolFailed(place, error, machine.now, &outboxes)
            case .opened(let agreement):
                counted = consumed
                session.handshakeSucceeded(place, agreement, machine.now, &outboxes)
                settle()
            case .refused(let error):
                session.handshakeFailed(place, error, machine.now, &outboxes)
                settle()
                return
            case .requested, .requestRefused:
                // Of clients that connect to us.
                return
            }
        }
    }

    private func deliverBatch(_ channel: Channel, _ counted: inout Int, _ consumed: Int) {
        session.received(channel.place, bytes: consumed - counted, messages: batch.endedCount, machine.now)
        let epoch = session.epoch(of: channel.place)
        if consumed > counted { client.read(consumed - counted, epoch) }
        counted = consumed
        guard !batch.isEmpty else { return }
        let kept = runRules(channel)
        for (index, message) in batch.messages.enumerated() {
            let payload = [UInt8](message.payload)
            if kept[index] { client.delivered(payload, epoch) } else { client.leftOut(payload, epoch) }
        }
        batch.removeAll()
        switch client.inboxWish {
        case .none: break
        case .pause: pauseReading(channel)
        case .close: session.consumerTooSlow(channel.place, machine.now, &outboxes)
        }
    }

    /// Gives which messages of the batch the application is to see.
    private func runRules(_ channel: Channel) -> [Bool] {
        var kept = [Bool](repeating: true, count: batch.count)
        guard session.looksAtMessages(channel.place) else { return kept }
        for (index, message) in batch.messages.enumerated() where session.isConcerned(channel.place, by: message, machine.now) {
            kept[index] = !session.messageReceived(channel.place, message, scratch, machine.now, &outboxes)
            if session.hasRefusedHeartbeats(channel.place) { flush(channel) }
        }
        flush(channel)
        return kept
    }

    // MARK: Pausing

    private func pauseReading(_ channel: Channel) {
        guard !channel.isReadingPaused else { return }
        channel.isReadingPaused = true
        session.readingPaused(channel.place, machine.now)
        session.emit(.readingPaused, machine.now)
    }

    func resumeReading(_ channel: Channel) {
        guard channel.isReadingPaused, channel.line != nil else { return }
        channel.isReadingPaused = false
        session.readingResumed(channel.place, machine.now)
        if channel.writeFailed { postBroken(channel) }
        readAgain()
    }
}
