/// What goes ahead of the queue: pings, pongs, beats and close frames, and where they may stand.
import Heartbeat
import Session
import Testing
import WebSocket

struct OutboxControlTests {
    private static let going = CloseFrame(code: 1001, reason: bytes("going"))

    private func open(fragmentSize: Int = 65536) -> OutboxHarness {
        let harness = OutboxHarness(bytesMax: 16 << 20, fragmentSize: fragmentSize)
        harness.outbox.openWithQueue()
        return harness
    }

    @Test func sendsPingsWithTheirNumberInNetworkOrder() throws {
        let harness = open()
        harness.ping(0x0102_0304_0506_0708)
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.ping, [1, 2, 3, 4, 5, 6, 7, 8])])
    }

    @Test func controlFramesPassTheQueueAndGoBetweenFragments() throws {
        let harness = open(fragmentSize: 1000)
        _ = harness.enqueue([UInt8](repeating: 1, count: 1_000_000))
        harness.transmit(limit: 5000)
        harness.pong(bytes("answer"))
        harness.ping(7)
        harness.transmit()
        let frames = try harness.takeFrames()
        let pong = try #require(frames.firstIndex { $0.opcode == .pong })
        let ping = try #require(frames.firstIndex { $0.opcode == .ping })
        #expect(ping == pong + 1)
        // One wire's fill of 64 KiB, a fragment, and no more lies ahead of it.
        let ahead = frames[..<pong].map { $0.payload.count }.reduce(0, +)
        #expect(ahead < 5000 + 65536 + 2000)
        #expect(!frames[pong - 1].isFinal)
        #expect(frames[ping + 1].opcode == .continuation)
    }

    @Test func answersAFloodOfPingsWithinBoundsAndTheLatestLast() throws {
        let harness = open()
        for number in 0..<10_000 { harness.pong([UInt8(number % 256), UInt8(number / 256)]) }
        #expect(harness.pending < 300 * 8)
        harness.transmit(chunk: 3)
        let frames = try harness.takeFrames()
        #expect(frames.count == 257)
        #expect(frames.first == SentFrame(.pong, [0, 0]))
        #expect(frames.last == SentFrame(.pong, [UInt8(9999 % 256), UInt8(9999 / 256)]))
        #expect(harness.outbox.metrics.pongsSent == 257)
        harness.pong([1])
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.pong, [1])])
    }

    @Test func answersOnlyTheLatestOfPingsThatWaitForTheNextWrite() throws {
        let harness = open()
        for number in 0..<5 as Range<UInt8> { harness.pong([number], atOnce: false) }
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.pong, [4])])
        harness.pong([5], atOnce: false)
        harness.pong([6])
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.pong, [6])])
    }

    /// A peer that does not read cannot make its pings and beats pile up here.
    @Test func leavesPingsAndBeatsOutThatCouldNotLeave() throws {
        let harness = open()
        for number in 0..<1000 as Range<UInt64> {
            harness.ping(number)
            harness.beat()
        }
        harness.transmit(chunk: 7)
        let frames = try harness.takeFrames()
        #expect(frames.filter { $0.opcode == .ping }.count == 256)
        #expect(frames.filter { $0.opcode == .text }.count == 1)
        harness.ping(1)
        harness.beat()
        harness.transmit()
        #expect(try harness.takeFrames().map { $0.opcode } == [.ping, .text])
        #expect(harness.outbox.metrics.beatsSent == 259)
    }

    @Test func beatsNeverStandBetweenFragments() throws {
        for limit in stride(from: 1, through: 140, by: 7) {
            let harness = open(fragmentSize: 10)
            _ = harness.enqueue([UInt8](repeating: 1, count: 60_000))
            harness.transmit(limit: limit)
            harness.beat()
            harness.transmit()
            let frames = try harness.takeFrames()
            let place = try #require(frames.firstIndex { $0.opcode == .text })
            #expect(place == frames.count - 1)
            #expect(frames[place] == SentFrame(.text, bytes("beat")))
            #expect(frames[place - 1].isFinal)
        }
    }

    @Test func beatsPassQueuedMessages() throws {
        let harness = open()
        for number in 0..<100 { _ = harness.enqueue([UInt8](repeating: UInt8(number), count: 10_000)) }
        harness.transmit(limit: 10)
        harness.beat()
        harness.transmit()
        let frames = try harness.takeFrames()
        #expect(frames.count == 101)
        #expect(try #require(frames.firstIndex { $0.opcode == .text }) < 10)
    }

    @Test func aWaitingBeatIsNotDoubled() throws {
        let harness = open(fragmentSize: 10)
        _ = harness.enqueue([UInt8](repeating: 1, count: 200_000))
        harness.transmit(limit: 20)
        for _ in 0..<5 { harness.beat() }
        harness.transmit()
        #expect(try harness.takeFrames().filter { $0.opcode == .text }.count == 1)
        #expect(harness.outbox.metrics.beatsSent == 1)
    }

    @Test func closesAfterTheQueue() throws {
        let harness = open(fragmentSize: 10)
        _ = harness.enqueue([UInt8](repeating: 1, count: 25))
        harness.outbox.closeAfterQueue(Self.going)
        #expect(!harness.hasClosed)
        harness.beat()
        harness.pong([5])
        harness.transmit()
        #expect(harness.hasClosed)
        let frames = try harness.takeFrames()
        #expect(frames.map { $0.opcode } == [.text, .pong, .binary, .continuation, .continuation, .close])
        #expect(frames.last?.payload == Self.going.payload)
    }

    @Test func closesAheadOfTheQueueButBehindWhatIsOnTheWire() throws {
        let harness = open()
        _ = harness.enqueue([1])
        _ = harness.pending
        _ = harness.enqueue([2])
        harness.outbox.closeNow(Self.going)
        #expect(harness.hasClosed)
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.binary, [1]), SentFrame(.close, Self.going.payload)])
        #expect(harness.outbox.queuedMessages == 1)
    }

    @Test func sendsNothingAfterAClose() throws {
        let harness = open()
        harness.outbox.closeNow(CloseFrame(code: 1005, reason: []))
        _ = harness.enqueue([1])
        harness.ping(1)
        harness.pong([2])
        harness.beat()
        harness.outbox.closeNow(Self.going)
        harness.outbox.closeAfterQueue(Self.going)
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.close, [])])
    }

    @Test func sendsNoPostponedPongAfterAClose() throws {
        let harness = open()
        for number in 0..<300 { harness.pong([UInt8(number & 0xFF)]) }
        harness.outbox.closeNow(Self.going)
        harness.transmit(chunk: 1)
        let frames = try harness.takeFrames()
        #expect(frames.count == 257)
        #expect(frames.last?.opcode == .close)
    }

    @Test func leavesNothingOfAnEndedConnectionToTheNext() throws {
        let harness = open(fragmentSize: 10)
        for number in 0..<300 { harness.pong([UInt8(number & 0xFF)]) }
        _ = harness.enqueue([UInt8](repeating: 1, count: 200_000))
        harness.transmit(limit: 20)
        harness.ping(1)
        harness.beat()
        harness.outbox.connectionEnded()
        _ = harness.takeSent()
        harness.ping(2)
        harness.pong([3])
        harness.beat()
        harness.outbox.closeAfterQueue(Self.going)
        harness.outbox.closeNow(Self.going)
        harness.outbox.openWithQueue()
        harness.transmit()
        let frames = try harness.takeFrames()
        #expect(frames.first?.opcode == .binary)
        #expect(frames.dropFirst().allSatisfy { $0.opcode == .continuation })
        let size = frames.map { $0.payload.count }.reduce(0, +)
        #expect(size == 200_000)
        // Bounds on pongs count for each connection anew.
        for number in 0..<256 { harness.pong([UInt8(number)]) }
        harness.transmit()
        #expect(try harness.takeFrames().count == 256)
    }
}
