/// The outbox as a queue: order, limits, framing, and what a broken connection leaves behind.
import Heartbeat
import Session
import Testing
import WebSocket

struct OutboxTests {
    @Test func sendsInTheOrderOfTheQueue() throws {
        let harness = OutboxHarness()
        #expect(harness.enqueue(bytes("one"), .text) == .accepted(id: 1))
        #expect(harness.enqueue([], .text) == .accepted(id: 2))
        harness.outbox.openWithQueue()
        #expect(harness.enqueue([3], .binary) == .accepted(id: 3))
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, bytes("one")), SentFrame(.text, []), SentFrame(.binary, [3])])
        #expect(harness.pending == 0)
        #expect(harness.outbox.queuedMessages == 0)
        #expect(harness.outbox.queuedBytes == 0)
    }

    @Test func holdsMessagesBackUntilTheHandshakeIsDone() throws {
        let harness = OutboxHarness()
        #expect(harness.enqueue([1]) == .accepted(id: 1))
        #expect(harness.pending == 0)
        harness.outbox.beginHandshake(bytes("GET / HTTP/1.1\r\n\r\n"))
        harness.ping(1)
        harness.pong([1])
        harness.transmit()
        #expect(harness.takeSent() == bytes("GET / HTTP/1.1\r\n\r\n"))
        harness.outbox.openWithQueue()
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.binary, [1])])
        #expect(harness.outbox.metrics.bytesSent == 7)
    }

    @Test func masksWithANewKeyForEachFrameAsClientOnly() {
        let client = OutboxHarness()
        client.outbox.openWithQueue()
        for _ in 0..<2 { _ = client.enqueue([0, 0, 0, 0]) }
        client.transmit()
        let sent = client.takeSent()
        #expect(sent.count == 20)
        #expect(sent[2..<6] == sent[6..<10])
        #expect(sent[2..<6] != sent[12..<16])
        let server = OutboxHarness(role: .server)
        server.outbox.openWithQueue()
        _ = server.enqueue([1, 2])
        server.transmit()
        #expect(server.takeSent() == [0x82, 2, 1, 2])
    }

    @Test func admitsExactlyUpToItsLimits() {
        let byCount = OutboxHarness(messagesMax: 2)
        #expect(byCount.enqueue([]) == .accepted(id: 1))
        #expect(byCount.enqueue([]) == .accepted(id: 2))
        #expect(byCount.enqueue([]) == .full)
        let bySize = OutboxHarness(bytesMax: 10)
        #expect(bySize.enqueue([UInt8](repeating: 0, count: 11)) == .tooLarge)
        #expect(bySize.enqueue([UInt8](repeating: 0, count: 4)) == .accepted(id: 1))
        #expect(bySize.enqueue([UInt8](repeating: 0, count: 7)) == .full)
        #expect(bySize.enqueue([UInt8](repeating: 0, count: 6)) == .accepted(id: 2))
        #expect(bySize.enqueue([]) == .accepted(id: 3))
        #expect(bySize.enqueue([1]) == .full)
        #expect(OutboxHarness(bytesMax: 10).enqueue([UInt8](repeating: 0, count: 10)) == .accepted(id: 1))
    }

    @Test func tellsOnceThatItIsWritableAgain() {
        let harness = OutboxHarness(messagesMax: 4, bytesMax: 100, role: .server)
        harness.outbox.openWithQueue()
        for _ in 0..<4 { _ = harness.enqueue([0]) }
        #expect(harness.outbox.takeWritable() == false)
        #expect(harness.enqueue([0]) == .full)
        #expect(harness.outbox.takeWritable() == false)
        harness.transmit(limit: 3)
        #expect(harness.outbox.takeWritable() == false)
        harness.transmit(limit: 3)
        #expect(harness.outbox.takeWritable() == true)
        #expect(harness.outbox.takeWritable() == false)
    }

    /// One that was told too early would be refused again and again.
    @Test func isNotWritableBeforeWhatWasRefusedHasRoom() {
        let harness = OutboxHarness(messagesMax: 10, bytesMax: 100, role: .server)
        harness.outbox.openWithQueue()
        for _ in 0..<5 { _ = harness.enqueue([UInt8](repeating: 0, count: 10)) }
        #expect(harness.enqueue([UInt8](repeating: 0, count: 60)) == .full)
        #expect(harness.enqueue([UInt8](repeating: 0, count: 51)) == .full)
        #expect(harness.outbox.queuedBytes == 50)
        #expect(harness.outbox.takeWritable() == false)
        harness.transmit(limit: 12)
        #expect(harness.outbox.queuedBytes == 40)
        #expect(harness.outbox.takeWritable() == true)
        #expect(harness.enqueue([UInt8](repeating: 0, count: 60)) == .accepted(id: 6))
    }

    @Test func saysNothingOfRoomOnceItsQueueIsForgotten() {
        let harness = OutboxHarness(messagesMax: 1)
        _ = harness.enqueue([1])
        #expect(harness.enqueue([2]) == .full)
        harness.outbox.discardQueue()
        #expect(harness.outbox.takeWritable() == false)
    }

    @Test func takesNothingMoreOnceSealed() throws {
        let harness = OutboxHarness()
        _ = harness.enqueue([1])
        harness.outbox.seal()
        #expect(harness.enqueue([2]) == .closed)
        harness.outbox.openWithQueue()
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.binary, [1])])
    }

    @Test func forgetsItsQueueWhenTold() {
        let harness = OutboxHarness()
        _ = harness.enqueue([1])
        harness.outbox.discardQueue()
        harness.outbox.openWithQueue()
        #expect(harness.pending == 0)
        #expect(harness.outbox.queuedMessages == 0)
        #expect(harness.outbox.queuedBytes == 0)
    }

    @Test(arguments: [(0, 1), (1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3), (35, 4)]) func fragmentsLargeMessages(
        size: Int, count: Int
    ) throws {
        let harness = OutboxHarness(fragmentSize: 10)
        let payload = (0..<size).map { UInt8($0) }
        harness.outbox.openWithQueue()
        _ = harness.enqueue(payload, .text)
        _ = harness.enqueue([99])
        harness.transmit(chunk: 1)
        let frames = try harness.takeFrames()
        #expect(frames.count == count + 1)
        #expect(frames.map { $0.opcode } == [.text] + Array(repeating: .continuation, count: count - 1) + [.binary])
        #expect(frames.map { $0.isFinal } == Array(repeating: false, count: count - 1) + [true, true])
        #expect(frames.dropLast().flatMap { $0.payload } == payload)
        for frame in frames { #expect(frame.payload.count <= 10) }
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1000, 100_000]) func sendsTheSameInAnyChunks(chunk: Int) throws {
        let harness = OutboxHarness(fragmentSize: 50)
        harness.outbox.openWithQueue()
        let payloads = (0..<40).map { [UInt8](repeating: UInt8($0), count: $0 * 7) }
        for payload in payloads { _ = harness.enqueue(payload) }
        harness.transmit(chunk: chunk)
        var messages: [[UInt8]] = []
        for frame in try harness.takeFrames() {
            if frame.opcode == .binary { messages.append([]) }
            messages[messages.count - 1] += frame.payload
        }
        #expect(messages == payloads)
        #expect(harness.outbox.metrics.messagesSent == 40)
    }

    /// Exactly the messages that were not wholly transmitted go again, wherever the connection breaks.
    @Test func sendsAgainWhatABrokenConnectionCutShort() throws {
        let payloads = [bytes("first"), [], [UInt8](repeating: 2, count: 25), [3], [UInt8](repeating: 4, count: 10)]
        let whole = OutboxHarness(fragmentSize: 10)
        whole.outbox.openWithQueue()
        for payload in payloads { _ = whole.enqueue(payload) }
        whole.transmit()
        let total = whole.takeSent().count
        for cut in 0...total {
            let harness = OutboxHarness(fragmentSize: 10)
            harness.outbox.openWithQueue()
            for payload in payloads { _ = harness.enqueue(payload) }
            harness.transmit(limit: cut)
            // Some of what follows the cut has been encoded already, and is not to be taken for sent.
            _ = harness.pending
            let (frames, _) = try SentFrame.parse(harness.takeSent())
            let complete = frames.filter { $0.isFinal }.count
            #expect(harness.outbox.queuedMessages == payloads.count - complete)
            harness.outbox.connectionEnded()
            #expect(harness.pending == 0)
            harness.outbox.beginHandshake([])
            harness.outbox.openWithQueue()
            harness.transmit()
            var messages: [[UInt8]] = []
            for frame in try harness.takeFrames() {
                if frame.opcode != .continuation { messages.append([]) }
                messages[messages.count - 1] += frame.payload
            }
            #expect(messages == Array(payloads[complete...]), "cut after \(cut) bytes")
            #expect(harness.outbox.metrics.messagesSent == 5)
        }
    }

    /// Case 10.1.1 of the Autobahn test suite, from the server's side.
    @Test func fragmentsAsAServer() throws {
        let harness = OutboxHarness(fragmentSize: 1300, role: .server)
        harness.outbox.openWithQueue()
        _ = harness.enqueue([UInt8](repeating: 0x2A, count: 65536), .text)
        harness.transmit()
        let (frames, incomplete) = try SentFrame.parse(harness.takeSent(), receiver: .client)
        #expect(incomplete == 0)
        #expect(frames.map { $0.payload.count } == [Int](repeating: 1300, count: 50) + [536])
        #expect(frames.map { $0.opcode } == [.text] + [Opcode](repeating: .continuation, count: 50))
        #expect(frames.map { $0.isFinal } == [Bool](repeating: false, count: 50) + [true])
    }

    @Test func countsWhatItSent() {
        let harness = OutboxHarness(role: .server)
        harness.outbox.openWithQueue()
        _ = harness.enqueue([1, 2, 3])
        harness.ping(1)
        harness.pong([1])
        harness.beat()
        #expect(harness.outbox.metrics.beatsSent == 0)
        harness.transmit()
        let metrics = harness.outbox.metrics
        #expect(metrics.beatsSent == 2)
        #expect(metrics.pongsSent == 1)
        #expect(metrics.messagesSent == 2)
        #expect(metrics.bytesSent == 5 + 10 + 3 + 6)
    }
}
