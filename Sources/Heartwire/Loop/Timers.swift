import Heartbeat

/// A binary heap of deadlines, one for each slot. A deadline that moves later stays where it is and is looked at again when it comes up, so
/// that pushing one back, the common case, costs nothing.
struct Timers {
    private struct Entry {
        let due: Instant
        let slot: Int
    }

    private var heap: [Entry] = []
    /// The earliest moment at which each slot is in the heap; nil if it is not.
    private var scheduled: [Instant?] = []

    var next: Instant? { heap.first?.due }

    /// Makes sure that `slot` comes up at `due` or before.
    mutating func schedule(slot: Int, at due: Instant) {
        while scheduled.count <= slot { scheduled.append(nil) }
        if let present = scheduled[slot], present <= due { return }
        scheduled[slot] = due
        heap.append(Entry(due: due, slot: slot))
        siftUp(heap.count - 1)
    }

    /// The next slot whose time has come. Its real deadline may be later by now: the caller looks and schedules it again.
    mutating func popDue(_ now: Instant) -> Int? {
        while let first = heap.first, first.due <= now {
            removeFirst()
            // An entry that was overtaken by an earlier one for the same slot has served already.
            if scheduled[first.slot] == first.due {
                scheduled[first.slot] = nil
                return first.slot
            }
        }
        return nil
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].due < heap[parent].due else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var smallest = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].due < heap[smallest].due {
                smallest = child
            }
            guard smallest != index else { return }
            heap.swapAt(index, smallest)
            index = smallest
        }
    }
}
