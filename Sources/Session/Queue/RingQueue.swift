import WebSocket

/// A first-in first-out queue of plain values in one allocation, indexed from its front.
package struct RingQueue<Element: BitwiseCopyable>: ~Copyable {
    private var allocation: Allocation?
    private var storage: UnsafeMutablePointer<Element>?
    private var capacity = 0
    private var head = 0
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// `index` is below `count`.
    package subscript(index: Int) -> Element {
        get { storage.unsafelyUnwrapped[(head &+ index) & (capacity &- 1)] }
        set { storage.unsafelyUnwrapped[(head &+ index) & (capacity &- 1)] = newValue }
    }

    package mutating func append(_ element: Element) {
        if count == capacity { grow() }
        (storage.unsafelyUnwrapped + ((head &+ count) & (capacity &- 1))).initialize(to: element)
        count &+= 1
    }

    package mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = self[0]
        head = (head &+ 1) & (capacity &- 1)
        count &-= 1
        if count == 0 { removeAll() }
        return element
    }

    package mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        count &-= 1
        return self[count]
    }

    package mutating func removeAll() {
        head = 0
        count = 0
        // A queue that was long gives its memory back; a short one keeps it against the next burst.
        if capacity > 8 {
            allocation = nil
            storage = nil
            capacity = 0
        }
    }

    /// The capacity is a power of two, so that indices wrap with a mask.
    private mutating func grow() {
        let larger = max(4, capacity &* 2)
        let owner = Allocation(byteCount: larger &* MemoryLayout<Element>.stride)
        let replacement = owner.base.bindMemory(to: Element.self, capacity: larger)
        for index in 0..<count {
            (replacement + index).initialize(to: self[index])
        }
        allocation = owner
        storage = replacement
        capacity = larger
        head = 0
    }
}
