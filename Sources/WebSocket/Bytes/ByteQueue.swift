/// A growable first-in first-out run of bytes in one allocation, which is given back when the queue runs empty.
///
/// Growing copies; removing from the front does not. Nothing is reserved ahead of bytes that have arrived, so an announced length costs nothing.
package struct ByteQueue: ~Copyable {
    private var allocation: Allocation?
    private var storage: UnsafeMutableRawPointer?
    private var capacity = 0
    private var head = 0
    private var tail = 0

    /// An empty queue keeps at most this much, so that idle connections stay small and busy ones do not allocate per message.
    private static let keptCapacity = 512

    package init() {}

    package var count: Int { tail &- head }
    package var isEmpty: Bool { tail == head }

    /// The queued bytes, oldest first; valid until the next mutation.
    package var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: storage.map { UnsafeRawPointer($0 + head) }, count: count)
    }

    @_optimize(speed)
    package mutating func append(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, source.count > 0 else { return }
        reserve(source.count).copyMemory(from: base, byteCount: source.count)
        tail &+= source.count
    }

    package mutating func append(_ source: [UInt8]) {
        source.withUnsafeBufferPointer { append(UnsafeRawBufferPointer($0)) }
    }

    package mutating func append(_ byte: UInt8) {
        reserve(1).storeBytes(of: byte, as: UInt8.self)
        tail &+= 1
    }

    /// Room for `size` more bytes after the last one. Bytes written there join the queue with `commit`.
    package mutating func reserve(_ size: Int) -> UnsafeMutableRawPointer {
        if capacity &- tail < size {
            grow(by: size)
        }
        return storage.unsafelyUnwrapped + tail
    }

    package mutating func commit(_ size: Int) {
        tail &+= size
    }

    package mutating func removeFirst(_ size: Int) {
        head &+= min(size, count)
        if head == tail {
            removeAll()
        }
    }

    package mutating func removeAll() {
        head = 0
        tail = 0
        if capacity > Self.keptCapacity {
            allocation = nil
            storage = nil
            capacity = 0
        }
    }

    /// Empties the queue and gives the block that holds its bytes away: they stay where they are for as long as someone keeps it.
    package mutating func detach() -> Allocation? {
        defer {
            allocation = nil
            storage = nil
            (capacity, head, tail) = (0, 0, 0)
        }
        return allocation
    }

    /// Takes back the last `size` bytes.
    package mutating func removeLast(_ size: Int) {
        tail &-= min(size, count)
        if head == tail { removeAll() }
    }

    @inline(never)
    private mutating func grow(by size: Int) {
        let needed = count &+ size
        // Moving the bytes to the front is cheaper than a new allocation once at least half of the old one is free.
        if let storage, needed <= capacity / 2 {
            storage.copyMemory(from: storage + head, byteCount: count)
            tail &-= head
            head = 0
            return
        }
        let larger = max(needed, capacity &* 2, 64)
        let replacement = Allocation(byteCount: larger)
        if let storage {
            replacement.base.copyMemory(from: storage + head, byteCount: count)
        }
        allocation = replacement
        storage = replacement.base
        capacity = larger
        tail &-= head
        head = 0
    }
}
