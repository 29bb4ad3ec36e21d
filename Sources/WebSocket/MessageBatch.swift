/// Complete messages on their way to the application, as views into the bytes they were read from.
package struct Message {
    package let kind: MessageKind
    package let payload: UnsafeRawBufferPointer
}

/// A reusable array of messages: one a thread, so that receiving a message allocates nothing.
package struct MessageBatch: ~Copyable {
    private let allocation: Allocation
    private let storage: UnsafeMutablePointer<Message>
    package private(set) var count = 0

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
    package mutating func append(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) {
        (storage + count).initialize(to: Message(kind: kind, payload: payload))
        count &+= 1
    }

    package mutating func removeAll() {
        count = 0
    }
}
