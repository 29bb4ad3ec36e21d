import CHeartwire
import Session
import Testing
import WebSocket

@testable import Heartwire

struct InboxSegmentTests {
    private let origin = DeliveryOrigin(
        handle: OpaquePointer(bitPattern: 9), context: UnsafeMutableRawPointer(bitPattern: 11), epoch: 4, receivedNs: 99)

    private func append(_ string: String, to segment: InboxSegment) {
        [bytes(string)].withBatch { for message in $0 { segment.append(message, origin) } }
    }

    private func takeAll(_ segment: InboxSegment) -> [Delivered] {
        var taken: [Delivered] = []
        while !segment.isExhausted { if let record = segment.take() { taken.append(Delivered(record)) } }
        return taken
    }

    @Test func givesBackWhatWasAppendedWithItsOrigin() throws {
        let segment = InboxSegment(recordsMax: 4, arenaSize: 1000)
        append("one", to: segment)
        append("", to: segment)
        _ = segment.append(event(.missed(3)), origin)
        #expect(segment.count == 3)
        let first = try #require(segment.take())
        #expect(first.connection == origin.handle)
        #expect(first.context == origin.context)
        #expect(first.message.epoch == 4)
        #expect(first.message.received_ns == 99)
        #expect(first.message.flags == 0)
        let empty = try #require(segment.take())
        #expect(empty.message.data != nil)
        #expect(empty.message.size == 0)
        let last = try #require(segment.take())
        #expect(last.message.data == nil)
        #expect(UInt(bitPattern: last.event) % UInt(MemoryLayout<hw_event>.alignment) == 0)
        #expect(Delivered(last) == .missed(3))
        #expect(segment.isExhausted)
        #expect(segment.live == 0)
    }

    @Test func isFullByRecordsOrBytes() {
        let segment = InboxSegment(recordsMax: 2, arenaSize: 10)
        #expect(segment.hasRoom(10))
        #expect(!segment.hasRoom(11))
        append("1234", to: segment)
        #expect(segment.hasRoom(6))
        #expect(!segment.hasRoom(7))
        append("", to: segment)
        #expect(!segment.hasRoom(0))
    }

    @Test func roomForAnEventCoversItsAlignment() {
        let record = event(.opened(Agreement(subprotocol: bytes("chat"), compression: nil)))
        for offset in 0..<16 {
            let segment = InboxSegment(recordsMax: 10, arenaSize: offset + InboxSegment.size(record))
            append(String(repeating: "x", count: offset), to: segment)
            #expect(segment.hasRoom(InboxSegment.size(record)))
            _ = segment.append(record, origin)
            #expect(takeAll(segment) == [.text(String(repeating: "x", count: offset)), .event(hw_event_kind(HW_EVENT_OPENED), count: 0)])
        }
    }

    @Test func dropsOldestMessagesButNoEventsAndNothingTaken() {
        let segment = InboxSegment(recordsMax: 10, arenaSize: 1000)
        append("taken", to: segment)
        _ = segment.append(event(.missed(1)), origin)
        append("dropped", to: segment)
        _ = segment.append(event(.missed(2)), origin)
        append("kept", to: segment)
        #expect(segment.take().map(Delivered.init) == .text("taken"))
        #expect(segment.dropOldestMessage() == 7)
        #expect(segment.live == 3)
        #expect(takeAll(segment) == [.missed(1), .missed(2), .text("kept")])
        #expect(segment.dropOldestMessage() == nil)
    }

    @Test func startsOverAfterAReset() {
        let segment = InboxSegment(recordsMax: 2, arenaSize: 10)
        for round in 0..<3 {
            append("\(round)2345", to: segment)
            append("", to: segment)
            _ = segment.take()
            _ = segment.dropOldestMessage()
            segment.reset()
            #expect(segment.isExhausted)
            #expect(segment.live == 0)
            #expect(segment.hasRoom(10))
        }
        append("kept", to: segment)
        #expect(takeAll(segment) == [.text("kept")])
    }
}
