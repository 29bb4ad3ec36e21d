import Heartbeat

/// Virtual time and what is to happen in it. What happens at the same moment does so in an order that the dice give.
final class Timeline {
    private struct Entry {
        let time: Instant
        let order: UInt64
        let action: () -> Void

        static func < (a: Entry, b: Entry) -> Bool { a.time == b.time ? a.order < b.order : a.time < b.time }
    }

    private(set) var now = Instant.start
    private(set) var steps = 0
    /// A binary heap, the earliest first.
    private var heap: [Entry] = []
    private var sequence: UInt64 = 0
    private let dice: Dice

    init(_ dice: Dice) {
        self.dice = dice
    }

    /// Moments that have passed mean now.
    func at(_ time: Instant, _ action: @escaping () -> Void) {
        sequence += 1
        heap.append(Entry(time: max(time, now), order: dice.next() << 40 | sequence & 0xFF_FFFF_FFFF, action: action))
        var index = heap.count - 1
        while index > 0, heap[index] < heap[(index - 1) / 2] {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    func after(_ delay: Interval, _ action: @escaping () -> Void) { at(now + delay, action) }

    /// Lets the next thing happen, unless it is later than `end`.
    func step(until end: Instant) -> Bool {
        guard let first = heap.first, first.time <= end else { return false }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sift()
        }
        now = first.time
        steps += 1
        first.action()
        return true
    }

    private func sift() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child] < heap[least] { least = child }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}
