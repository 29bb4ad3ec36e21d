import Heartbeat
import Session
import Testing
import WebSocket

/// The session of a client that has connected to us.
struct SessionAcceptTests {
    private static let request =
        "GET /chat?a=1 HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

    private func served(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> SessionHarness {
        let harness = SessionHarness {
            $0.acceptance = AcceptancePolicy()
            $0.reconnects = false
            $0.heartbeat.ping = nil
            change(&$0)
        }
        harness.acceptTransport()
        return harness
    }

    private func ask(_ harness: SessionHarness, _ fields: String = "") { harness.receive(bytes(Self.request + fields + "\r\n")) }

    private func masked(_ opcode: Opcode, _ payload: [UInt8]) -> [UInt8] {
        var queue = ByteQueue()
        let key = MaskingKey(word: 0x0403_0201)
        payload.withUnsafeBytes { FrameWriter.append(opcode: opcode, isFinal: true, payload: $0, maskingKey: key, to: &queue) }
        return [UInt8](queue.bytes)
    }

    private func sent(_ harness: SessionHarness) -> String { String(decoding: harness.streams[0], as: UTF8.self) }

    @Test func acceptsAndTalks() {
        let harness = served()
        ask(harness)
        #expect(harness.takeEvents() == ["state connecting", "opened 1", "state connected"])
        #expect(sent(harness).hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        harness.receive(masked(.text, bytes("hello")))
        #expect(harness.received == [bytes("hello")])
        harness.send(bytes("answer"))
        // Not masked, for we are the server.
        #expect(harness.streams[0].suffix(8).elementsEqual([0x81, 0x06] + bytes("answer")))
    }

    @Test func readsARequestHoweverItIsSplit() {
        let harness = served()
        for byte in bytes(Self.request + "\r\n") { harness.receive([byte]) }
        #expect(harness.state == .connected)
    }

    /// The client's first frame may follow its request at once.
    @Test func readsOnAfterTheRequest() {
        let harness = served()
        harness.receive(bytes(Self.request + "\r\n") + masked(.text, bytes("hello")))
        #expect(harness.received == [bytes("hello")])
    }

    @Test func endsTheTransportFirstAfterTheClosingHandshake() {
        let harness = served()
        ask(harness)
        _ = harness.takeEvents()
        harness.receive(masked(.close, CloseFrame(code: 1000, reason: []).payload))
        #expect(harness.takeEvents() == ["closed 1000 by peer (peer closed 1000)", "state disconnected"])
        #expect(!harness.isTransportOpen(.first))
        #expect(harness.streams[0].suffix(4).elementsEqual([0x88, 0x02, 0x03, 0xE8]))
    }

    @Test func makesNoAttemptOfItsOwn() {
        let harness = served()
        ask(harness)
        harness.endTransport()
        #expect(harness.state == .failed)
        #expect(harness.transportsOpened == 0)
        #expect(harness.deadline == nil)
    }

    @Test func turnsAwayWhatIsNoRequest() {
        let harness = served()
        harness.receive(bytes("GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
        #expect(harness.refusal?.status == 426)
        #expect(harness.takeEvents().last == "state failed (turned away with 426)")
    }

    @Test func givesUpAClientThatDoesNotAskInTime() {
        let harness = served { $0.connectTimeout = .seconds(3) }
        harness.receive(bytes("GET / HT"))
        harness.run(.seconds(3))
        #expect(harness.state == .failed)
        #expect(!harness.isTransportOpen(.first))
    }

    @Test(arguments: [
        ("", true), ("Origin: https://a.test\r\n", true), ("Origin: HTTPS://A.test\r\n", true), ("Origin: https://b.test\r\n", false),
        ("Origin: null\r\n", false), ("Origin: https://a.test.evil\r\n", false),
    ])
    func looksAtTheOrigin(fields: String, isAccepted: Bool) {
        let harness = served { $0.acceptance?.origins = [bytes("https://a.test")] }
        ask(harness, fields)
        #expect((harness.state == .connected) == isAccepted)
        #expect(harness.refusal?.status == (isAccepted ? nil : 403))
    }

    @Test func agreesOnTheClientsFavourite() {
        let harness = served { $0.subprotocols = [bytes("b"), bytes("c")] }
        ask(harness, "Sec-WebSocket-Protocol: a, c, b\r\n")
        #expect(harness.takeEvents()[1] == "opened 1 c")
    }

    @Test func asksTheApplicationAndWaits() throws {
        let harness = served {
            $0.acceptance?.asks = true
            $0.connectTimeout = .seconds(3)
        }
        ask(harness)
        #expect(harness.takeEvents() == ["state connecting", "accept 1 /chat?a=1 within 3000 ms"])
        #expect(harness.session.preparingAttempts.0 == 1)
        let request = try #require(harness.asked)
        harness.step { harness.accept(harness.session.acceptance(of: request)) }
        #expect(harness.state == .connected)
    }

    @Test(arguments: [0, 1, 2]) func anAnswerMayComeTooLate(end: Int) throws {
        let harness = served {
            $0.acceptance?.asks = true
            $0.connectTimeout = .seconds(3)
        }
        ask(harness)
        switch end {
        case 0: harness.endTransport()
        case 1: harness.run(.seconds(3))
        default: harness.step { harness.turnAway(AcceptFailure(status: 401, sentence: "no")) }
        }
        #expect(harness.state == .failed)
        let request = try #require(harness.asked)
        harness.step { harness.accept(harness.session.acceptance(of: request)) }
        #expect(harness.state == .failed)
        #expect(harness.streams[0].isEmpty)
    }

    // MARK: Pages

    private func servedPage(_ answer: String) -> SessionHarness {
        let harness = served { $0.connectTimeout = .seconds(3) }
        harness.isWritable = false
        harness.step { harness.session.answered(bytes(answer), harness.now, &harness.outboxes) }
        return harness
    }

    @Test func aPageGoesAsItIsTakenAndThenTheTransportEnds() {
        let harness = servedPage("a page")
        harness.flush(limit: 2)
        #expect(harness.session.isAnswering && harness.isTransportOpen(.first))
        // What the client goes on to say is of no account.
        harness.receive(bytes(Self.request + "\r\n"))
        harness.step { harness.session.transportEnded(.first, Self.endOfStream, harness.now, &harness.outboxes) }
        #expect(harness.isTransportOpen(.first))
        harness.flush()
        #expect(sent(harness) == "a page")
        #expect(!harness.isTransportOpen(.first))
        #expect(harness.takeEvents() == ["state connecting", "state disconnected"])
        #expect(harness.metrics.errors == 0 && harness.metrics.attemptsFailed == 0)
    }

    @Test func aPageThatIsNotTakenInTimeIsCutOff() {
        let harness = servedPage("a page")
        harness.flush(limit: 2)
        harness.run(.milliseconds(2999))
        #expect(harness.isTransportOpen(.first))
        harness.run(.milliseconds(1))
        #expect(!harness.isTransportOpen(.first))
        #expect(sent(harness) == "a ")
        #expect(harness.state == .disconnected)
    }

    @Test func aTransportThatBreaksEndsThePage() {
        let harness = servedPage("a page")
        harness.endTransport()
        #expect(harness.state == .disconnected)
        #expect(!harness.isTransportOpen(.first))
    }

    private static let endOfStream = TransportFailure(kind: .lost, nativeCode: 0, sentence: "ended")
}
