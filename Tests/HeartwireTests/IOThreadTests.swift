import Testing

@testable import Heartwire

struct IOThreadTests {
    /// A connection that always has more to read must not take more and more of each turn from the others.
    @Test func readsAConnectionAgainOnceATurn() throws {
        let io = try #require(IOThread())
        let (busy, other) = (try idleConnection(io: io), try idleConnection(io: io))
        for _ in 0..<3 { io.readAgain(busy) }
        io.readAgain(other)
        io.readAgain(busy)
        let queued = try #require(Mirror(reflecting: io).descendant("readable") as? [Connection])
        #expect(queued.map { ObjectIdentifier($0) } == [ObjectIdentifier(busy), ObjectIdentifier(other)])
    }
}
