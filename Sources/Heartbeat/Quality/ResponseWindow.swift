/// The last hundred response times, in microseconds.
package struct ResponseWindow {
    package struct Summary: Equatable {
        package var count = 0
        package var last = Interval.zero
        package var min = Interval.zero
        package var mean = Interval.zero
        package var median = Interval.zero
        package var p99 = Interval.zero
        package var max = Interval.zero

        package init() {}
    }

    package static let capacity = 100

    private var times = InlineArray<100, UInt32>(repeating: 0)
    private var count: UInt8 = 0
    /// Where the next time goes.
    private var next: UInt8 = 0

    package init() {}

    package mutating func record(_ time: Interval) {
        times[Int(next)] = time.microseconds
        next = (next + 1) % UInt8(Self.capacity)
        if count < Self.capacity { count += 1 }
    }

    package var summary: Summary {
        var summary = Summary()
        let count = Int(count)
        guard count > 0 else { return summary }
        let sorted = sorted
        var sum: UInt64 = 0
        for index in 0..<count { sum += UInt64(sorted[index]) }
        summary.count = count
        summary.last = .microseconds(times[(Int(next) + Self.capacity - 1) % Self.capacity])
        summary.min = .microseconds(sorted[0])
        summary.mean = .mean(ofMicroseconds: sum, count: count)
        summary.median = .mean(ofMicroseconds: UInt64(sorted[(count - 1) / 2]) + UInt64(sorted[count / 2]), count: 2)
        // The nearest rank: of a full window the last but one, of fewer times the largest.
        summary.p99 = .microseconds(sorted[(count * 99 + 99) / 100 - 1])
        summary.max = .microseconds(sorted[count - 1])
        return summary
    }

    /// By insertion: the window is small, and neither memory nor the library's generic sort is needed.
    private var sorted: InlineArray<100, UInt32> {
        var result = times
        for index in 0..<Int(count) {
            let time = result[index]
            var place = index
            while place > 0 && result[place - 1] > time {
                result[place] = result[place - 1]
                place -= 1
            }
            result[place] = time
        }
        return result
    }
}
