/// Counts times by their size: four buckets to each power of two of microseconds, so that the middle of a bucket differs from what it
/// stands for by at most an eighth. What takes longer than a minute counts as a minute.
package struct TimeHistogram {
    package static let bucketCount = 100
    private static let longest: UInt32 = 60_000_000

    package private(set) var count: UInt64 = 0
    /// The low halves of the counters. Only a connection that answers for hours needs the high ones, which are empty until then.
    private var low = InlineArray<100, UInt16>(repeating: 0)
    private var high: [UInt32] = []

    package init() {}

    package mutating func record(_ time: Interval) {
        let bucket = Self.bucket(of: time)
        count &+= 1
        low[bucket] &+= 1
        guard low[bucket] == 0 else { return }
        if high.isEmpty { high = [UInt32](repeating: 0, count: Self.bucketCount) }
        high[bucket] &+= 1
    }

    package func count(inBucket bucket: Int) -> UInt64 {
        UInt64(low[bucket]) | (high.isEmpty ? 0 : UInt64(high[bucket]) << 16)
    }

    /// The time that so many thousandths of all, 1 to 1000, do not pass; zero if nothing was recorded.
    package func percentile(permille: UInt64) -> Interval {
        // The nearest rank, rounded up; written so that no count overflows.
        let rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000
        var seen: UInt64 = 0
        for bucket in 0..<Self.bucketCount where count > 0 {
            seen &+= count(inBucket: bucket)
            if seen >= rank { return Self.middle(of: bucket) }
        }
        return .zero
    }

    package static func bucket(of time: Interval) -> Int {
        let microseconds = min(time.microseconds, longest)
        guard microseconds >= 4 else { return Int(microseconds) }
        let exponent = 31 - microseconds.leadingZeroBitCount
        return (exponent - 1) * 4 + Int(microseconds >> UInt32(exponent - 2) & 3)
    }

    /// The time that stands for all of a bucket.
    package static func middle(of bucket: Int) -> Interval {
        guard bucket >= 8 else { return .microseconds(UInt32(bucket)) }
        let shift = UInt32(bucket / 4 - 1)
        let width = UInt32(1) << shift
        return .microseconds(UInt32(bucket % 4 + 4) << shift + width / 2)
    }
}
