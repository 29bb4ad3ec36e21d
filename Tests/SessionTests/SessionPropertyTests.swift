/// Random inputs of every kind in every phase: none may break the promises that hold for any connection.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionPropertyTests {
    private static let seeds: Range<UInt64> = 0..<200

    @Test(arguments: seeds) func keepsItsPromisesUnderAnyInputs(seed: UInt64) throws {
        var random = Random(seed: seed)
        func chance(_ count: UInt64) -> Bool { random.next(through: count - 1) == 0 }
        let reconnects = !chance(16)
        let harness = SessionHarness(seed: seed, limits: .init(messagesMax: 20, bytesMax: 5000, fragmentSize: 125)) {
            $0.heartbeat.ping = .init(interval: .milliseconds(300), timeout: .milliseconds(200), missedMax: 2)
            $0.setBeat(every: .milliseconds(500), .binary, bytes("beat"))
            $0.reconnects = reconnects
            $0.stableAfter = .seconds(2)
            $0.backoff = .init(base: .milliseconds(200), cap: .seconds(2), attemptsMax: 0)
            $0.messages.messageSizeMax = 1000
            $0.redirectsMax = 2
        }
        var accepted: [[UInt8]] = []
        for _ in 0..<400 {
            let epoch = harness.session.epoch
            let wasFinal = harness.hasEnded
            Self.act(harness, &random, &accepted)
            #expect(harness.session.epoch >= epoch)
            checkDeadline(harness)
            let events = harness.takeEvents()
            if wasFinal {
                #expect(events == [])
                #expect(!harness.isTransportOpen)
                #expect(harness.send([1]) == .closed)
            }
        }
        try checkStreams(harness, accepted)
    }

    /// Something is always awaited until the end: this configuration pings, so even an open connection has a deadline.
    private func checkDeadline(_ harness: SessionHarness) {
        switch harness.state {
        case .connecting, .connected, .reconnecting, .closing: #expect(harness.deadline != nil)
        case .failed: #expect(harness.deadline == nil)
        case .disconnected: break
        }
    }

    /// Each connection carried whole frames that a server takes and nothing behind a close frame; each message went out once, in order.
    private func checkStreams(_ harness: SessionHarness, _ accepted: [[UInt8]]) throws {
        var complete: [[UInt8]] = []
        for stream in harness.streams {
            let (frames, _) = try SessionHarness.frames(stream)
            var message: [UInt8]?
            for frame in frames {
                switch frame.opcode {
                case .text, .binary:
                    #expect(message == nil)
                    message = frame.payload
                case .continuation:
                    message = try #require(message) + frame.payload
                case .close, .ping, .pong:
                    continue
                }
                if frame.isFinal, let whole = message {
                    if whole != bytes("beat") { complete.append(whole) }
                    message = nil
                }
            }
            if let close = frames.firstIndex(where: { $0.opcode == .close }) { #expect(close == frames.count - 1) }
        }
        #expect(complete == Array(accepted.prefix(complete.count)))
        #expect(harness.outbox.metrics.messagesSent >= UInt64(complete.count))
    }

    private static func act(_ harness: SessionHarness, _ random: inout Random, _ accepted: inout [[UInt8]]) {
        let kinds: [TransportFailure.Kind] = [.resolve, .connect, .lost, .tls, .system]
        switch random.next(through: 39) {
        case 0...3: harness.start()
        case 4...7: harness.openTransport()
        case 8...11: harness.acceptHandshake()
        case 12...13: harness.endTransport(kinds[Int(random.next(through: 4))])
        case 14...19: harness.advance(.milliseconds(Int64(random.next(through: 400))))
        case 20...21: if !harness.isTransportOpen || random.next(through: 3) == 0 { harness.runToDeadline() }
        case 22...26:
            let payload = bytes("\(accepted.count):") + [UInt8](repeating: 0x61, count: Int(random.next(through: 600)))
            if case .accepted = harness.send(payload) { accepted.append(payload) }
        case 27: receive(SentFrame.write(.text, bytes("data")), harness, &random)
        case 28: receive(SentFrame.write(.ping, [UInt8](repeating: 7, count: Int(random.next(through: 125)))), harness, &random)
        case 29: answerLastPing(harness)
        case 30:
            harness.isWritable.toggle()
            harness.settle()
        case 31: if harness.isTransportOpen { harness.flush(limit: Int(random.next(through: 300))) }
        case 32: harness.step { harness.session.readingPaused(.first, harness.now) }
        case 33: harness.step { harness.session.readingResumed(.first, harness.now) }
        case 34: receive((0..<random.next(through: 20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }, harness, &random)
        case 35...39: actRarely(harness, &random)
        default: break
        }
    }

    private static func actRarely(_ harness: SessionHarness, _ random: inout Random) {
        switch random.next(through: 119) {
        case 0: harness.close(CloseFrame(code: 3000, reason: bytes("enough")))
        case 1: harness.abandon()
        case 2...6:
            let code: UInt16 = [1000, 1001, 1011, 4000, 1012][Int(random.next(through: 4))]
            receive(SentFrame.write(.close, CloseFrame(code: code, reason: []).payload), harness, &random)
        case 7...9: harness.step { harness.session.protocolFailed(.first, .reservedBits, harness.now, &harness.outboxes) }
        case 10...12: harness.step { harness.session.consumerTooSlow(.first, harness.now, &harness.outboxes) }
        case 13:
            let refusal = HTTPRefusal(status: 503)
            harness.step { harness.session.handshakeFailed(.first, .refused(refusal), harness.now, &harness.outboxes) }
        case 14:
            let agreement = Agreement(subprotocol: [], compression: nil)
            harness.step { harness.session.handshakeSucceeded(.first, agreement, harness.now, &harness.outboxes) }
        case 15...17: harness.answer("HTTP/1.1 503 Busy\nContent-Length: 1\n\nx")
        case 24...29: harness.answer("HTTP/1.1 302 Elsewhere\nLocation: /elsewhere\n\n")
        case 18...20:
            let opcodes: [Opcode] = [.continuation, .text, .binary, .close, .ping, .pong]
            let opcode = opcodes[Int(random.next(through: 5))]
            let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: Int(random.next(through: 9)))
            harness.step {
                payload.withUnsafeBytes { harness.session.controlReceived(.first, opcode, payload: $0, harness.now, &harness.outboxes) }
            }
        case 21...23: harness.step { harness.session.received(.first, bytes: 5, messages: 1, harness.now) }
        default: harness.step { harness.session.timeout(harness.now, &harness.outboxes) }
        }
    }

    /// What is not an answer to the opening handshake ends a connection for good there, so it comes less often.
    private static func receive(_ bytes: [UInt8], _ harness: SessionHarness, _ random: inout Random) {
        if harness.state == .connected || harness.state == .closing || random.next(through: 99) == 0 { harness.receive(bytes) }
    }

    private static func answerLastPing(_ harness: SessionHarness) {
        guard let stream = harness.streams.last, let ping = try? SessionHarness.frames(stream).frames.last(where: { $0.opcode == .ping })
        else { return }
        harness.receive(.pong, ping.payload)
    }
}
