/// Heartbeat rules on a managed connection: from what arrives to what leaves, through its end and into the next.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionHeartbeatTests {
    private func open(
        _ rules: String, limits: Outbox.Limits = .init(messagesMax: 100, bytesMax: 1 << 20, fragmentSize: 1000),
        _ change: (inout SessionConfiguration) -> Void = { _ in }
    ) throws -> SessionHarness {
        let rules = try ruleSet(rules)
        let harness = SessionHarness(limits: limits) {
            $0.heartbeat.rules = rules
            $0.heartbeat.failureThreshold = 3
            change(&$0)
        }
        harness.keepsHeartbeats = true
        harness.connect()
        _ = harness.takeEvents()
        return harness
    }

    private func texts(_ harness: SessionHarness) throws -> [String] {
        try harness.sentFrames().map { "\($0.opcode) \(String(decoding: $0.payload, as: UTF8.self))" }
    }

    private static let ask = #"{"reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}]}"#
    private static let beat = #"{"beat": [{"every": "100ms", "send": {"body": "beat"}}]}"#
    private static let acked =
        #"{"beat": [{"every": "100ms", "send": {"body": "beat"}, "ack": {"on": {"eq": "pong"}, "within": "50ms"}}]}"#

    // MARK: The course of a connection

    @Test func tellsWhenItBeginsAndEnds() throws {
        let harness = try open(Self.beat)
        harness.endTransport()
        #expect(harness.takeEvents() == ["stopped", "closed 1006 (lost)", "state reconnecting (lost)"])
        harness.runToDeadline()
        harness.connect()
        #expect(harness.takeEvents() == ["opened 2", "started", "state connected", "gap of 372 ms, 0 in doubt"])
        harness.abandon()
        #expect(harness.takeEvents() == [])
    }

    @Test func answersAndTellsOfItAndKeepsTheMessage() throws {
        let harness = try open(Self.ask)
        harness.receive(.text, bytes("ask"))
        harness.receive(.text, bytes("data"))
        #expect(try texts(harness) == ["text answer"])
        #expect(harness.takeEvents() == ["received reply(0)", "responded reply(0)"])
        #expect(harness.received == [bytes("ask"), bytes("data")])
    }

    @Test func consumesHeartbeatsOnly() throws {
        let harness = try open(Self.ask) { $0.heartbeat.consumesHeartbeats = true }
        for text in ["a", "ask", "b", "ask", "ask ", ""] { harness.receive(.text, bytes(text)) }
        #expect(harness.received == ["a", "b", "ask ", ""].map { bytes($0) })
        #expect(try texts(harness) == ["text answer", "text answer"])
    }

    @Test func looksIntoNoParts() throws {
        let harness = try open(Self.ask)
        harness.receive(SentFrame.write(.text, bytes("as"), isFinal: false) + SentFrame.write(.continuation, bytes("k")))
        #expect(try texts(harness) == ["text answer"])
        #expect(harness.received == [bytes("ask")])
    }

    // MARK: Closing

    @Test func beatsOnWhileTheQueueDrainsUntilTheCloseFrame() throws {
        let harness = try open(Self.beat)
        harness.isWritable = false
        for _ in 0..<30 { harness.send([UInt8](repeating: 0x61, count: 20_000)) }
        harness.close()
        for _ in 0..<40 {
            harness.run(.milliseconds(100))
            harness.flush(limit: 20_000)
        }
        let frames = try harness.sentFrames()
        let close = try #require(frames.firstIndex { $0.opcode == .close })
        #expect(close == frames.count - 1)
        let beats = frames.filter { $0.payload == bytes("beat") }.count
        // One at a time waits for the kernel, behind 64 KiB.
        #expect(beats > 5)
        let events = harness.takeEvents()
        #expect(events.filter { $0 == "stopped" }.count == 1)
        #expect(events.last == "stopped")
        #expect(harness.state == .closing)
    }

    @Test func answersWhileTheQueueDrains() throws {
        let harness = try open(Self.ask)
        harness.isWritable = false
        harness.send(bytes("last"))
        harness.close()
        harness.receive(.text, bytes("ask"))
        harness.isWritable = true
        harness.settle()
        #expect(try texts(harness).prefix(2) == ["text answer", "text last"])
        harness.receive(.text, bytes("ask"))
        #expect(try harness.sentFrames().count == 3)
    }

    @Test func aBeatThatWasLeftDoesNotMakeAFailureOfAClose() throws {
        let harness = try open(
            #"""
            {"learn": [{"dir": "out", "on": {"has": ["/id"]}, "path": "/id", "var": "counter"}],
             "beat": [{"every": "100ms", "send": {"body": "${counter}"}}]}
            """#)
        harness.isWritable = false
        harness.run(.milliseconds(100))
        harness.close()
        harness.endTransport()
        #expect(harness.takeEvents().suffix(3) == ["stopped", "closed 1006", "state disconnected"])
    }

    // MARK: Verdicts

    @Test func endsAConnectionWhoseBeatsAreNotAcknowledged() throws {
        let harness = try open(Self.acked) { $0.closeTimeout = .seconds(1) }
        harness.run(.milliseconds(120))
        harness.receive(.text, bytes("data"))
        harness.run(.milliseconds(229))
        #expect(harness.state == .connected)
        _ = harness.takeEvents()
        harness.run(.milliseconds(1))
        #expect(harness.takeEvents() == ["missed 3", "stopped"])
        let close = try #require(try harness.sentFrames().last)
        #expect(close == SentFrame(.close, CloseFrame(code: 3008, reason: bytes("heartbeat timeout")).payload))
        // The peer may be there, so it is given time to answer.
        harness.run(.milliseconds(999))
        #expect(harness.takeEvents() == [])
        harness.run(.milliseconds(1))
        #expect(harness.takeEvents() == ["closed 3008 (failures(3))", "state reconnecting (failures(3))"])
    }

    @Test func aPeerThatIsSilentSinceABeatIsNotWaitedFor() throws {
        let harness = try open(Self.acked) { $0.closeTimeout = .seconds(1) }
        harness.receive(.text, bytes("data"))
        harness.run(.milliseconds(350))
        #expect(harness.state == .reconnecting)
        #expect(try harness.sentFrames().last?.opcode == .close)
    }

    @Test func aPeerThatIsSilentIsNotWaitedFor() throws {
        let harness = try open(#"{"watch": [{"on": "any_rx", "within": "100ms"}]}"#) { $0.heartbeat.probeTimeout = .milliseconds(50) }
        harness.run(.milliseconds(150))
        #expect(
            harness.takeEvents() == [
                "silent 1 watch(0)", "sent ping", "stopped", "closed 3008 (silence(watch: 0))", "state reconnecting (silence(watch: 0))",
            ])
        #expect(try harness.sentFrames().map { $0.opcode } == [.ping, .close])
    }

    @Test func mayGiveUpForGoodOrOnlyReport() throws {
        let final = try open(Self.acked) {
            $0.heartbeat.reconnectsAfterFailure = false
            $0.closeTimeout = .zero
        }
        final.run(.seconds(1))
        #expect(final.state == .failed)
        let reporting = try open(Self.acked) { $0.heartbeat.failureThreshold = nil }
        reporting.run(.seconds(10))
        #expect(reporting.state == .connected)
        #expect(reporting.metrics.beatsMissed == 99)
    }

    @Test func allThatHappenedIsToldBeforeTheEnd() throws {
        let harness = try open(
            #"""
            {"beat": [{"every": "100ms", "send": {"body": "a"}, "ack": {"on": {"eq": "A"}, "within": "50ms"}, "on_miss": "close"},
                      {"every": "100ms", "send": {"body": "b"}, "ack": {"on": {"eq": "B"}, "within": "50ms"}}]}
            """#)
        harness.run(.milliseconds(149))
        _ = harness.takeEvents()
        harness.run(.milliseconds(1))
        let told = ["health warning", "missed 1", "missed 1", "stopped"]
        #expect(harness.takeEvents() == told + ["closed 3008 (beatMissed(0))", "state reconnecting (beatMissed(0))"])
    }

    /// At 200 ms the first beat is found missing, and the others are due.
    @Test func whatIsDueWithTheVerdictTouchesNoLaterConnection() throws {
        let harness = try open(
            #"""
            {"beat": [{"every": "100ms", "send": {"body": "a"}, "ack": {"on": {"eq": "A"}, "within": "100ms"}, "on_miss": "close"},
                      {"every": "200ms", "send": {"body": "b"}}, {"every": "50ms", "send": {"op": "ping", "body": "c"}}]}
            """#
        ) { $0.closeTimeout = .zero }
        harness.run(.milliseconds(200))
        #expect(try texts(harness).dropLast() == ["ping c", "text a", "ping c", "ping c"])
        #expect(try harness.sentFrames().last?.opcode == .close)
        let events = harness.takeEvents()
        #expect(events.suffix(3) == ["stopped", "closed 3008 (beatMissed(0))", "state reconnecting (beatMissed(0))"])
        harness.runToDeadline()
        harness.connect()
        #expect(harness.takeEvents() == ["opened 2", "started", "state connected", "gap of 572 ms, 0 in doubt"])
        #expect(try harness.sentFrames() == [])
        #expect(harness.heartbeats.totals.failed == 0)
        #expect(harness.heartbeats.failuresInARow == 0)
    }

    // MARK: Answers that cannot be written

    @Test func triesAnAnswerOnceMoreAndCountsItThen() throws {
        let harness = try open(Self.ask)
        harness.isWritable = false
        for _ in 0..<64 { harness.receive(.text, bytes("ask")) }
        _ = harness.takeEvents()
        harness.receive(.text, bytes("ask"))
        harness.flush(limit: 0)
        #expect(harness.takeEvents() == ["received reply(0)", "failed couldNotSend 1 reply(0)"])
        // With room by then the second try goes well.
        harness.receive(.text, bytes("ask"))
        harness.flush(limit: 50)
        #expect(harness.takeEvents().filter { $0.hasPrefix("failed") } == [])
        harness.isWritable = true
        harness.settle()
        #expect(try harness.sentFrames().count == 65)
        #expect(harness.heartbeats.totals.answered == 65)
    }

    @Test func anAnswerThatWaitsForASecondTryEndsWithItsConnection() throws {
        let harness = try open(Self.ask)
        harness.isWritable = false
        for _ in 0..<65 { harness.receive(.text, bytes("ask")) }
        harness.endTransport()
        harness.runToDeadline()
        harness.isWritable = true
        harness.connect()
        #expect(try harness.sentFrames() == [])
        #expect(harness.heartbeats.totals.failed == 0)
    }

    @Test func reportsAnAnswerThatIsOverdueOnceAndJudgesItAtLast() throws {
        let harness = try open(Self.ask)
        harness.isWritable = false
        harness.receive(.text, bytes("ask"))
        harness.receive(.ping, [1])
        harness.run(.milliseconds(2999))
        _ = harness.takeEvents()
        harness.run(.seconds(60))
        #expect(harness.takeEvents() == ["failed overdue 1 connection([])"])
        harness.isWritable = true
        harness.settle()
        #expect(harness.takeEvents().filter { $0.hasPrefix("responded") } == ["responded reply(0)", "responded ping"])
    }

    // MARK: Numbers shared with the application

    private static let shared = #"""
        {"learn": [{"dir": "out", "on": {"type": {"/id": "number"}}, "path": "/id", "var": "counter"}],
         "setup": [{"on": "open", "send": {"body": "{\"id\": ${counter}, \"setup\": 1}"}}],
         "beat": [{"every": "100ms", "send": {"body": "{\"id\": ${counter}, \"beat\": 1}"}}]}
        """#

    private func numbers(_ harness: SessionHarness) throws -> [Int] {
        try texts(harness).map { text in
            let digits = text.drop { !$0.isNumber }.prefix { $0.isNumber }
            return Int(digits) ?? 0
        }
    }

    @Test func numbersOnTheWireOnlyRise() throws {
        let harness = try open(Self.shared)
        harness.isWritable = false
        for id in [10, 20, 30] { harness.send(bytes(#"{"id": \#(id)}"#)) }
        harness.run(.milliseconds(100))
        harness.send(bytes(#"{"id": 40}"#))
        harness.run(.milliseconds(100))
        harness.isWritable = true
        harness.settle()
        harness.run(.milliseconds(100))
        // The beat that found an earlier one waiting had taken 41.
        #expect(try numbers(harness) == [1, 10, 20, 30, 31, 40, 42])
    }

    /// On the next connection the setup's number comes after those of the messages that wait for it, and nothing remembers the old beats.
    @Test func theNextConnectionCountsFromWhatWaitsForIt() throws {
        let harness = try open(Self.shared)
        harness.isWritable = false
        for id in [10, 20] { harness.send(bytes(#"{"id": \#(id)}"#)) }
        harness.run(.milliseconds(100))
        harness.endTransport()
        harness.runToDeadline()
        harness.isWritable = true
        harness.connect()
        harness.run(.milliseconds(100))
        #expect(try numbers(harness) == [10, 20, 21, 22])
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        #expect(try numbers(harness) == [1])
    }

    // MARK: Reading paused

    @Test func countsNothingAsMissingThatNobodyReads() throws {
        let harness = try open(Self.acked) { $0.closeTimeout = .zero }
        harness.step { harness.session.readingPaused(.first, harness.now) }
        harness.run(.seconds(10))
        #expect(harness.takeEvents().filter { !$0.hasPrefix("sent") } == [])
        harness.step { harness.session.readingResumed(.first, harness.now) }
        harness.run(.milliseconds(49))
        #expect(harness.metrics.beatsMissed == 0)
        harness.run(.seconds(1))
        #expect(harness.state != .connected)
    }
}
