/// Messages that the application hands over in parts.
import Session
import Testing
import WebSocket

struct OutboxPartsTests {
    private func part(_ harness: OutboxHarness, _ text: String, of id: UInt64 = 0, isLast: Bool = false) -> Outbox.Admission {
        bytes(text).withUnsafeBytes { harness.outbox.enqueue(.text, part: $0, of: id, isLast: isLast) }
    }

    @Test func sendsPartsAsTheyCome() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        #expect(part(harness, "one ") == .accepted(id: 1))
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, bytes("one "), isFinal: false)])
        #expect(part(harness, "", of: 1) == .accepted(id: 1))
        harness.transmit()
        #expect(try harness.takeFrames() == [])
        #expect(part(harness, "two", of: 1, isLast: true) == .accepted(id: 1))
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.continuation, bytes("two"))])
        #expect(harness.outbox.queuedMessages == 0)
        #expect(harness.outbox.queuedBytes == 0)
        #expect(harness.outbox.metrics.messagesSent == 1)
    }

    @Test func endsAMessageWithAnEmptyPart() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        _ = part(harness, "all")
        harness.transmit()
        _ = part(harness, "", of: 1, isLast: true)
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, bytes("all"), isFinal: false), SentFrame(.continuation, [])])
        #expect(part(harness, "", isLast: true) == .accepted(id: 2))
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, [])])
    }

    @Test func letsOtherMessagesFollowAndControlFramesPass() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        _ = harness.enqueue([1])
        _ = part(harness, "a")
        _ = harness.enqueue([2])
        _ = part(harness, "x")
        harness.transmit()
        harness.ping(1)
        harness.transmit()
        #expect(try harness.takeFrames().map(\.opcode) == [.binary, .text, .ping])
        #expect(part(harness, "y", of: 4, isLast: true) == .accepted(id: 4))
        #expect(part(harness, "b", of: 2, isLast: true) == .accepted(id: 2))
        harness.transmit()
        #expect(
            try harness.takeFrames() == [SentFrame(.continuation, bytes("b")), SentFrame(.binary, [2]), SentFrame(.text, bytes("xy"))])
    }

    @Test func beginsAnewOnTheNextConnection() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        _ = part(harness, "one")
        harness.transmit()
        _ = harness.takeSent()
        harness.outbox.connectionEnded()
        _ = part(harness, " two", of: 1)
        harness.outbox.openWithQueue()
        harness.transmit()
        _ = part(harness, " three", of: 1, isLast: true)
        harness.transmit()
        #expect(
            try harness.takeFrames()
                == [SentFrame(.text, bytes("one two"), isFinal: false), SentFrame(.continuation, bytes(" three"))])
    }

    @Test func holdsPartsBackWhenABeatMayHaveToPass() throws {
        let harness = OutboxHarness(hasBeats: true)
        harness.outbox.openWithQueue()
        _ = part(harness, "one")
        harness.transmit()
        #expect(harness.takeSent() == [])
        _ = part(harness, " two", of: 1, isLast: true)
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, bytes("one two"))])
    }

    @Test func refusesPartsOfNoUnfinishedMessage() {
        let harness = OutboxHarness(bytesMax: 10)
        #expect(part(harness, "a", of: 7) == .unknownMessage)
        _ = part(harness, "a")
        let binary: [UInt8] = [1]
        #expect(binary.withUnsafeBytes { harness.outbox.enqueue(.binary, part: $0, of: 1, isLast: true) } == .unknownMessage)
        #expect(part(harness, "b", of: 1, isLast: true) == .accepted(id: 1))
        #expect(part(harness, "c", of: 1) == .unknownMessage)
        #expect(part(harness, "123456", of: 0) == .accepted(id: 2))
        #expect(part(harness, "12345", of: 2) == .tooLarge)
        #expect(part(harness, "1234", of: 2) == .full)
        harness.outbox.seal()
        #expect(part(harness, "1", of: 2) == .closed)
        #expect(part(harness, "1") == .closed)
    }

    /// Those behind it wait for its end, so they cannot keep it from getting there.
    @Test func foremostMessageHasRoomWhenThoseBehindItFillTheQueue() throws {
        let harness = OutboxHarness(bytesMax: 10)
        harness.outbox.openWithQueue()
        #expect(part(harness, "12345") == .accepted(id: 1))
        #expect(harness.enqueue([1, 2, 3, 4, 5]) == .accepted(id: 2))
        #expect(harness.enqueue([6]) == .full)
        #expect(part(harness, "67890", of: 1) == .accepted(id: 1))
        #expect(part(harness, "1", of: 1) == .tooLarge)
        #expect(part(harness, "", of: 1, isLast: true) == .accepted(id: 1))
        harness.transmit()
        #expect(try harness.takeFrames().map(\.opcode) == [.text, .binary])
    }

    /// Less than half of the queue may never be free again before the message goes on.
    @Test func tellsARefusedMessageWhenItHasBecomeTheForemost() throws {
        let harness = OutboxHarness(bytesMax: 10)
        #expect(harness.enqueue([1, 2]) == .accepted(id: 1))
        #expect(part(harness, "12345678") == .accepted(id: 2))
        #expect(part(harness, "9", of: 2, isLast: true) == .full)
        func takeWritable() -> Bool { harness.outbox.takeWritable() }
        #expect(!takeWritable())
        harness.outbox.openWithQueue()
        harness.transmit()
        #expect(takeWritable())
        #expect(!takeWritable())
        #expect(part(harness, "9", of: 2, isLast: true) == .accepted(id: 2))
        harness.transmit()
        #expect(try harness.takeFrames().map(\.opcode) == [.binary, .text, .continuation])
    }

    @Test func checksTextAcrossParts() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        let euro: [UInt8] = [0xE2, 0x82, 0xAC]
        func add(_ payload: [UInt8], of id: UInt64, isLast: Bool) -> Outbox.Admission {
            payload.withUnsafeBytes { harness.outbox.enqueue(.text, part: $0, of: id, isLast: isLast) }
        }
        #expect(add([0xE2], of: 0, isLast: false) == .accepted(id: 1))
        #expect(add([0x41], of: 1, isLast: false) == .notUTF8)
        #expect(add([0x82], of: 1, isLast: true) == .notUTF8)
        #expect(add([0x82, 0xAC], of: 1, isLast: true) == .accepted(id: 1))
        harness.transmit()
        #expect(try harness.takeFrames() == [SentFrame(.text, euro)])
    }

    @Test func dropsAnUnfinishedMessageOnClosing() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        _ = harness.enqueue([1])
        harness.outbox.connectionEnded()
        _ = part(harness, "never finished")
        _ = harness.enqueue([2])
        harness.outbox.seal()
        harness.outbox.openWithQueue()
        harness.outbox.closeAfterQueue(CloseFrame(code: 1000, reason: []))
        harness.transmit()
        #expect(try harness.takeFrames().map(\.opcode) == [.binary, .binary, .close])
        #expect(harness.outbox.queuedMessages == 0)
        #expect(harness.outbox.metrics.messagesSent == 2)
    }

    /// What has begun on the wire cannot be passed over: the close frame comes next, and what is left says so.
    @Test func closesInsideAnUnfinishedMessage() throws {
        let harness = OutboxHarness()
        harness.outbox.openWithQueue()
        _ = part(harness, "begun")
        harness.transmit()
        _ = harness.enqueue([2])
        harness.outbox.seal()
        harness.outbox.closeAfterQueue(CloseFrame(code: 1000, reason: []))
        harness.transmit()
        #expect(try harness.takeFrames().map(\.opcode) == [.text, .close])
        #expect(harness.outbox.queuedMessages == 2)
    }
}
