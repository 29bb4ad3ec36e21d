/// Which part of a message this is: large ones can be delivered in parts.
package enum MessagePart: UInt8, BitwiseCopyable {
    case whole = 0
    case first = 1
    case last = 2
    case middle = 3
}

/// A message, or a part of one, on its way to the application, as a view into the bytes it was read from.
package struct Message {
    package let kind: MessageKind
    package let part: MessagePart
    package let payload: UnsafeRawBufferPointer

    package init(kind: MessageKind, part: MessagePart = .whole, payload: UnsafeRawBufferPointer) {
        self.kind = kind
        self.part = part
        self.payload = payload
    }
}

/// A reusable array of messages: one a thread, so that receiving a message allocates nothing.
package struct MessageBatch: ~Copyable {
    private let allocation: Allocation
    private let storage: UnsafeMutablePointer<Message>
    package private(set) var count = 0
    /// Messages that end in the batch: parts that more follow are not counted.
    package private(set) var endedCount = 0

    package static let capacity = 256

    package init() {
        allocation = Allocation(byteCount: Self.capacity * MemoryLayout<Message>.stride)
        storage = allocation.base.bindMemory(to: Message.self, capacity: Self.capacity)
    }

    package var isEmpty: Bool { count == 0 }
    package var isFull: Bool { count == Self.capacity }

    package var messages: UnsafeBufferPointer<Message> {
        UnsafeBufferPointer(start: storage, count: count)
    }

    /// Adds a message; the caller has seen that the batch is not full.
    @_optimize(speed)
    package mutating func append(_ message: Message) {
        (storage + count).initialize(to: message)
        count &+= 1
        switch message.part {
        case .whole, .last: endedCount &+= 1
        case .first, .middle: break
        }
    }

    /// Takes a whole message out; the others move up. `index` is below `count`.
    package mutating func remove(at index: Int) {
        (storage + index).update(from: storage + index + 1, count: count &- index &- 1)
        count &-= 1
        endedCount &-= 1
    }

    package mutating func removeAll() {
        (count, endedCount) = (0, 0)
    }
}
