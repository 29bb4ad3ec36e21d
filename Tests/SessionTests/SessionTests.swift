/// From the first attempt to messages on an open connection.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionTests {
    @Test func connectsAndExchangesMessages() throws {
        let harness = SessionHarness { $0.subprotocols = [bytes("chat")] }
        #expect(harness.deadline == nil)
        harness.start()
        #expect(harness.takeEvents() == ["state connecting"])
        #expect(harness.isTransportOpen)
        harness.openTransport()
        let request = String(decoding: harness.streams[0], as: UTF8.self)
        #expect(request.hasPrefix("GET /path HTTP/1.1\r\nHost: peer.test\r\n"))
        #expect(request.contains("Sec-WebSocket-Protocol: chat\r\n"))
        harness.acceptHandshake(subprotocol: "chat")
        #expect(harness.takeEvents() == ["opened 1 chat", "state connected"])
        harness.send(bytes("hello"))
        #expect(try harness.sentFrames() == [SentFrame(.text, bytes("hello"))])
        harness.receive(.text, bytes("welcome"))
        harness.receive(.binary, [1, 2])
        #expect(harness.received == [bytes("welcome"), [1, 2]])
        #expect(harness.metrics.messagesReceived == 2)
        #expect(harness.metrics.bytesReceived == 9 + 4)
        #expect(harness.metrics.lastMessageAt == harness.now)
        #expect(harness.takeEvents() == [])
    }

    @Test func readsMessagesThatCameWithTheAnswer() {
        let harness = SessionHarness()
        harness.start()
        harness.openTransport()
        harness.acceptHandshake(then: SentFrame.write(.text, bytes("first")) + SentFrame.write(.ping, [1]))
        #expect(harness.received == [bytes("first")])
        #expect(harness.metrics.bytesReceived == 10)
        #expect(harness.metrics.pingsReceived == 1)
    }

    /// Time must grow with the size, not with its square: were it so, this would not end.
    @Test(.timeLimit(.minutes(1))) func readsAnAnswerThatTricklesInInLinearTime() {
        let harness = SessionHarness { $0.handshakeSizeMax = 1 << 24 }
        harness.start()
        harness.openTransport()
        harness.receive(bytes("HTTP/1.1 101 X\r\nA: ") + [UInt8](repeating: 0x61, count: 1 << 23))
        for _ in 0..<(1 << 16) { harness.receive([0x61]) }
        harness.receive(bytes("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: cHJvb2Y=\r\n\r\n"))
        #expect(harness.state == .connected)
    }

    @Test func sendsWhatWasQueuedBeforeItWasOpen() throws {
        let harness = SessionHarness()
        harness.send([1])
        harness.start()
        harness.send([2])
        harness.openTransport()
        harness.send([3])
        #expect(try harness.sentFrames() == [])
        harness.acceptHandshake()
        #expect(try harness.sentFrames().map { $0.payload } == [[1], [2], [3]])
    }

    @Test func answersPingsAtOnceAndIgnoresUnsolicitedPongs() throws {
        let harness = SessionHarness()
        harness.connect()
        harness.receive(.ping, bytes("are you there"))
        harness.receive(.pong, [])
        harness.receive(.pong, [UInt8](repeating: 0, count: 8))
        #expect(try harness.sentFrames() == [SentFrame(.pong, bytes("are you there"))])
        #expect(harness.metrics.pongsReceived == 0)
        #expect(harness.state == .connected)
    }

    @Test func waitsWithoutADeadlineWhenNothingIsToBeDone() {
        let harness = SessionHarness()
        harness.connect()
        #expect(harness.deadline == nil)
    }

    @Test(
        arguments: [
            ([0xC1, 0], "reservedBits", 1002),
            ([0x83, 0], "reservedOpcode(3)", 1002),
            ([0x81, 0x80, 0, 0, 0, 0], "maskedByServer", 1002),
            ([0x81, 1, 0xFF], "textNotUTF8", 1007),
            ([0x82, 101], "messageTooLarge(limit: 100)", 1009),
            ([0x88, 1, 3], "closePayloadOfOneByte", 1002),
            ([0x88, 2, 0, 0], "illegalCloseCode(0)", 1002),
            ([0x88, 3, 3, 0xE8, 0xFF], "closeReasonNotUTF8", 1007),
        ] as [([UInt8], String, UInt16)])
    func answersAViolationWithItsCodeAndReconnects(input: [UInt8], error: String, code: UInt16) throws {
        let harness = SessionHarness { $0.messages.messageSizeMax = 100 }
        harness.connect()
        _ = harness.takeEvents()
        harness.receive(SentFrame.write(.text, bytes("before")) + input + SentFrame.write(.text, bytes("after")))
        #expect(harness.received == [bytes("before")])
        let close = try #require(try harness.sentFrames().last)
        #expect(close.opcode == .close)
        #expect([UInt8](close.payload.prefix(2)) == [UInt8(code >> 8), UInt8(code & 0xFF)])
        harness.receive(.text, bytes("later still"))
        #expect(harness.received == [bytes("before")])
        harness.endTransport()
        #expect(harness.takeEvents() == ["closed \(code) (\(error))", "state reconnecting (\(error))"])
    }

    @Test func closesForASlowConsumerAndReconnects() throws {
        let harness = SessionHarness()
        harness.connect()
        _ = harness.takeEvents()
        harness.step { harness.session.consumerTooSlow(.first, harness.now, &harness.outboxes) }
        #expect(try harness.sentFrames().last?.payload.prefix(2) == [0x03, 0xF0])
        harness.runToDeadline()
        #expect(harness.takeEvents() == ["closed 1008 (slow)", "state reconnecting (slow)"])
    }

    @Test func putsEventsFromOutsideInOrderWithItsOwn() {
        let harness = SessionHarness()
        harness.connect()
        harness.session.emit(.readingPaused, harness.now)
        harness.endTransport()
        #expect(
            harness.takeEvents() == [
                "state connecting", "opened 1", "state connected", "reading paused", "closed 1006 (lost)", "state reconnecting (lost)",
            ])
    }
}
