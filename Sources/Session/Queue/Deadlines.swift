import Heartbeat

/// When messages expire: a binary heap with the earliest moment first, for those messages only that have a time to live.
///
/// A message that leaves the queue in time leaves its deadline here; the owner clears such ones away when they are too many.
package struct Deadlines {
    package struct Deadline: BitwiseCopyable {
        package let expiry: Instant
        package let id: UInt64

        package init(expiry: Instant, id: UInt64) {
            self.expiry = expiry
            self.id = id
        }
    }

    package private(set) var heap: [Deadline] = []
    /// How many messages there still are for them.
    private var awaited = 0

    private static let keptCapacity = 64

    package init() {}

    /// The earliest. It may be that of a message that has left.
    package var next: Instant? { heap.first?.expiry }

    /// True if most belong to messages that have left.
    package var areMostlyStale: Bool { heap.count > Self.keptCapacity && heap.count / 2 > awaited }

    package mutating func add(_ deadline: Deadline) {
        awaited &+= 1
        var index = heap.count
        heap.append(deadline)
        while index > 0 {
            let parent = (index &- 1) / 2
            guard deadline.expiry < heap[parent].expiry else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = deadline
    }

    /// The message of the earliest deadline, if that has passed.
    package mutating func popDue(_ now: Instant) -> UInt64? {
        guard let due = heap.first, due.expiry <= now, let last = heap.popLast() else { return nil }
        if !heap.isEmpty { sink(last) }
        return due.id
    }

    /// A message does not wait for its deadline any more.
    @inline(never)
    package mutating func forgetOne() {
        awaited &-= 1
        if awaited == 0 { heap.removeAll(keepingCapacity: heap.capacity <= Self.keptCapacity) }
    }

    /// Puts `deadline` where the first one was, and then down to its place.
    private mutating func sink(_ deadline: Deadline) {
        var index = 0
        while true {
            var child = 2 &* index &+ 1
            guard child < heap.count else { break }
            if child &+ 1 < heap.count && heap[child &+ 1].expiry < heap[child].expiry { child &+= 1 }
            guard heap[child].expiry < deadline.expiry else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = deadline
    }
}
