import CHeartwire
import Glibc
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

    /// A thread that does not live on in the child may hold the lock of the parent's pool. What the child finds is told by how it ends.
    @Test func aForkedChildHasAPoolOfItsOwn() throws {
        typealias Fork = @convention(c) () -> pid_t
        let fork = unsafeBitCast(try #require(dlsym(nil, "fork")), to: Fork.self)
        // The library learns of forks from its first use on.
        _ = Library.shared
        let inherited = SegmentPool.shared
        let child = fork()
        if child == 0 { _exit(SegmentPool.shared === inherited ? 1 : 0) }
        try #require(child > 0)
        var status: Int32 = -1
        #expect(waitpid(child, &status, 0) == child)
        #expect(status == 0)
        #expect(SegmentPool.shared === inherited)
    }
}
