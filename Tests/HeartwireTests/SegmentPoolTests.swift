import CHeartwire
import Testing
import WebSocket

@testable import Heartwire

struct SegmentPoolTests {
    private let origin = DeliveryOrigin(handle: nil, context: nil, epoch: 1, receivedNs: 0)

    @Test func givesSegmentsWithTheRoomThatIsAskedFor() {
        let pool = SegmentPool()
        for size in [0, 1, 131_072, 131_073, 1 << 20] { #expect(pool.take(size).hasRoom(size)) }
    }

    @Test func usesEmptiedSegmentsAgain() {
        let pool = SegmentPool()
        let segment = pool.take(10)
        [bytes("old")].withBatch { for message in $0 { segment.append(message, origin) } }
        pool.give([segment])
        let again = pool.take(10)
        #expect(again === segment)
        #expect(again.isExhausted)
        #expect(again.hasRoom(131_072))
        #expect(pool.take(10) !== segment)
    }

    @Test func doesNotKeepUnusualSizes() {
        let pool = SegmentPool()
        let large = pool.take(1 << 20)
        pool.give([large, InboxSegment(recordsMax: 16, arenaSize: 2048)])
        let next = pool.take(10)
        #expect(next !== large)
        #expect(next.hasRoom(131_072))
    }

    @Test func keepsAFewOnly() {
        let pool = SegmentPool()
        let segments = (0..<100).map { _ in pool.take(1) }
        pool.give(segments)
        let reused = (0..<100).map { _ in pool.take(1) }.filter { segment in segments.contains { $0 === segment } }
        #expect(reused.count == 16)
    }
}
