/// Heartbeats among what is on its way out: left out, put behind the queue, dropped with their connection, reported when handed over.
import Heartbeat
import Session
import Testing
import WebSocket

struct OutboxHeartbeatTests {
    private func open(messagesMax: Int = 1000, fragmentSize: Int = 65536) -> OutboxHarness {
        let harness = OutboxHarness(messagesMax: messagesMax, bytesMax: 16 << 20, fragmentSize: fragmentSize)
        harness.outbox.openWithQueue()
        return harness
    }

    private func answer(_ harness: OutboxHarness, received: Int64 = 0, followsQueue: Bool = false) -> Bool {
        let purpose = OutgoingHeartbeat.Purpose.answer(reply: 0, received: Instant(nanoseconds: received))
        return harness.outbox.heartbeat(OutgoingHeartbeat(purpose, .text, bytes("answer"), followsQueue: followsQueue))
    }

    // MARK: What is left out

    @Test(arguments: [false, true])
    func aBeatIsLeftOutWhileOneOfItsRuleWaits(followsQueue: Bool) throws {
        let harness = open()
        for index in [0, 0, 1, 0, 1] { #expect(harness.beat(index, followsQueue: followsQueue)) }
        harness.transmit()
        #expect(try harness.takeFrames().count == 2)
        harness.beat(0, followsQueue: followsQueue)
        harness.transmit()
        #expect(try harness.takeFrames().count == 1)
        #expect(harness.outbox.metrics.beatsSent == 3)
    }

    @Test func aBeatIsLeftOutWhileOneWaitsForTheEndOfAMessage() throws {
        let harness = open(fragmentSize: 1000)
        _ = harness.enqueue([UInt8](repeating: 1, count: 200_000))
        harness.transmit(limit: 10)
        for _ in 0..<5 { harness.beat() }
        harness.transmit()
        #expect(try harness.takeFrames().filter { $0.opcode == .text }.count == 1)
    }

    @Test(arguments: [false, true])
    func answersAreNeverLeftOutButTheirNumberIsLimited(followsQueue: Bool) throws {
        let harness = open()
        for _ in 0..<64 { #expect(answer(harness, followsQueue: followsQueue)) }
        #expect(!answer(harness, followsQueue: followsQueue))
        #expect(!harness.beat())
        #expect(harness.ping(1))
        harness.transmit()
        #expect(try harness.takeFrames().count == 65)
        #expect(answer(harness))
    }

    @Test func nothingIsTakenWithoutAConnectionOrAfterACloseFrame() throws {
        let harness = OutboxHarness()
        #expect(!harness.beat())
        #expect(!answer(harness))
        #expect(!harness.ping(1))
        harness.outbox.openWithQueue()
        harness.outbox.closeNow(CloseFrame(code: 1000, reason: []))
        #expect(!harness.beat())
        #expect(!answer(harness))
        #expect(!harness.ping(1))
        harness.transmit()
        #expect(try harness.takeFrames().map { $0.opcode } == [.close])
    }

    // MARK: Where they stand

    @Test func standsAheadOfTheQueueOrBehindWhatIsInIt() throws {
        let harness = open()
        for number in 0..<3 as Range<UInt8> { _ = harness.enqueue([number]) }
        harness.beat(1, followsQueue: true)
        _ = harness.enqueue([3])
        harness.beat(0)
        harness.transmit(chunk: 1)
        let payloads = try harness.takeFrames().map { $0.payload }
        #expect(payloads == [bytes("beat"), [0], [1], [2], bytes("beat"), [3]])
        #expect(harness.outbox.metrics.messagesSent == 6)
        #expect(harness.outbox.metrics.beatsSent == 2)
        #expect(harness.outbox.queuedMessages == 0)
    }

    // MARK: The end of a connection

    /// However far it has come, a beat is not sent on the next connection, and no message of the application's is lost.
    @Test(arguments: 0...40)
    func isDroppedWithItsConnection(handedOver: Int) throws {
        let harness = open()
        _ = harness.enqueue([1])
        harness.beat(0, followsQueue: true)
        _ = harness.enqueue([2])
        harness.beat(1, followsQueue: true)
        _ = harness.enqueue([3])
        harness.beat(2)
        _ = answer(harness)
        harness.transmit(chunk: 1, limit: handedOver)
        let delivered = try SentFrame.parse(harness.takeSent()).frames.filter { $0.opcode == .binary }.map { $0.payload }
        harness.outbox.connectionEnded()
        #expect(harness.outbox.queuedMessages == 3 - delivered.count)
        #expect(harness.outbox.queuedBytes == 3 - delivered.count)
        #expect(harness.outbox.oldestAnswerReceived == nil)
        #expect(harness.outbox.hasHandedOver == false)
        harness.outbox.openWithQueue()
        harness.transmit()
        let frames = try harness.takeFrames()
        #expect(frames.allSatisfy { $0.opcode == .binary })
        #expect(delivered + frames.map { $0.payload } == [[1], [2], [3]])
        harness.beat(0, followsQueue: true)
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, bytes("beat"))])
    }

    @Test func aMessageInPartsBehindADroppedBeatStays() throws {
        let harness = open()
        harness.beat(0, followsQueue: true)
        let admission = bytes("first ").withUnsafeBytes { harness.outbox.enqueue(.text, part: $0, of: 0, isLast: false) }
        guard case .accepted(let id) = admission else {
            Issue.record("\(admission)")
            return
        }
        harness.outbox.connectionEnded()
        #expect(bytes("last").withUnsafeBytes { harness.outbox.enqueue(.text, part: $0, of: id, isLast: true) } == .accepted(id: id))
        harness.outbox.openWithQueue()
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, bytes("first last"))])
    }

    @Test func whatIsLearnedFromTheQueueIsNotLearnedFromBeats() throws {
        let configuration = HeartbeatConfiguration()
        configuration.rules = try ruleSet(
            #"""
            {"learn": [{"dir": "out", "on": {"type": {"/id": "number"}}, "path": "/id", "var": "counter"}],
             "beat": [{"every": "10s", "send": {"body": "{\"id\": ${counter}}"}}]}
            """#)
        let variables = try #require(HeartbeatVariables(configuration))
        let outbox = Outbox(
            role: .client, limits: .init(messagesMax: 10, bytesMax: 1000, fragmentSize: 1000), variables: variables,
            fillRandom: countingRandomness())
        outbox.openWithQueue()
        _ = bytes(#"{"id": 5}"#).withUnsafeBytes { outbox.enqueue(.text, $0) }
        #expect(variables.counter == 6)
        _ = outbox.heartbeat(OutgoingHeartbeat(.beat(0), .text, bytes(#"{"id": 700}"#), followsQueue: true))
        for _ in 0..<2 {
            variables.reset()
            outbox.observeQueue()
            #expect(variables.counter == 6)
            outbox.connectionEnded()
        }
    }

    // MARK: What was handed over

    @Test func tellsWhatTheKernelHasTakenWholeAndWhen() {
        let harness = open()
        harness.beat(3)
        harness.ping(1)
        harness.pong([1])
        _ = answer(harness, received: 7)
        harness.now = Instant(nanoseconds: 50)
        harness.transmit(limit: 9)
        #expect(harness.outbox.hasHandedOver == false)
        harness.transmit(limit: 1)
        #expect(harness.outbox.takeHandedOver().map { $0.frame } == [.heartbeat(.beat(3))])
        harness.now = Instant(nanoseconds: 90)
        harness.transmit()
        let rest = harness.outbox.takeHandedOver()
        #expect(
            rest.map { $0.frame } == [
                .heartbeat(.ping), .pong(received: Instant(nanoseconds: 0)),
                .heartbeat(.answer(reply: 0, received: Instant(nanoseconds: 7))),
            ])
        #expect(rest.allSatisfy { $0.time == Instant(nanoseconds: 90) })
        #expect(harness.outbox.hasHandedOver == false)
    }

    @Test func knowsWhenAMessageWasLastSent() {
        let harness = open()
        #expect(harness.outbox.lastMessageSentAt == nil)
        harness.now = Instant(nanoseconds: 1)
        harness.ping(1)
        harness.pong([])
        harness.transmit()
        #expect(harness.outbox.lastMessageSentAt == nil)
        harness.now = Instant(nanoseconds: 2)
        harness.beat()
        harness.transmit()
        #expect(harness.outbox.lastMessageSentAt == Instant(nanoseconds: 2))
        harness.now = Instant(nanoseconds: 3)
        _ = harness.enqueue([1])
        harness.transmit(limit: 3)
        #expect(harness.outbox.lastMessageSentAt == Instant(nanoseconds: 2))
        harness.now = Instant(nanoseconds: 4)
        harness.transmit()
        #expect(harness.outbox.lastMessageSentAt == Instant(nanoseconds: 4))
        harness.outbox.connectionEnded()
        #expect(harness.outbox.lastMessageSentAt == nil)
    }

    /// A pong passes an answer that waits for the end of a message.
    @Test func knowsTheRequestThatHasWaitedLongest() {
        let harness = open(fragmentSize: 1000)
        #expect(harness.outbox.oldestAnswerReceived == nil)
        _ = harness.enqueue([UInt8](repeating: 1, count: 200_000))
        harness.transmit(limit: 10)
        #expect(answer(harness, received: 5))
        harness.now = Instant(nanoseconds: 9)
        harness.pong([1])
        #expect(harness.outbox.oldestAnswerReceived == Instant(nanoseconds: 5))
        harness.transmit()
        #expect(harness.outbox.oldestAnswerReceived == nil)
    }

    @Test func knowsAnAnswerThatStandsBehindTheQueue() {
        let harness = open()
        _ = harness.enqueue([1])
        #expect(answer(harness, received: 5, followsQueue: true))
        #expect(harness.outbox.oldestAnswerReceived == Instant(nanoseconds: 5))
        harness.transmit()
        #expect(harness.outbox.oldestAnswerReceived == nil)
    }
}
