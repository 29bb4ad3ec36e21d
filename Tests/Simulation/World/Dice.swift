import Glibc
import Heartbeat

/// All chance in a world: its seed says everything that will happen. Not the generator of the code that is tested, which may be the fault.
final class Dice {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0xD134_2543_DE82_EF95 &+ 0x2545_F491_4F6C_DD1D
    }

    /// SplitMix64.
    func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed &>> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed &>> 31)
    }

    /// Dice of their own for a part of the world, so that what one part throws does not change another's luck.
    func fork() -> Dice { Dice(seed: next()) }

    /// From 0 to `count - 1`.
    func below(_ count: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(max(1, count))).high) }

    func oneIn(_ count: Int) -> Bool { below(count) == 0 }

    func percent(_ share: Int) -> Bool { below(100) < share }

    func between(_ low: Int, _ high: Int) -> Int { low + below(high - low + 1) }

    func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    /// Evenly between two times.
    func time(_ low: Interval, _ high: Interval) -> Interval {
        Interval(nanoseconds: low.nanoseconds + Int64(below(Int(high.nanoseconds - low.nanoseconds) + 1)))
    }

    /// Between two times such that each order of magnitude is as likely as the next.
    func magnitude(_ low: Interval, _ high: Interval) -> Interval {
        var top = low
        var steps = 0
        while top < high {
            top = top * 2
            steps += 1
        }
        var bottom = low
        for _ in 0..<below(max(1, steps)) { bottom = bottom * 2 }
        return min(high, time(bottom, bottom * 2))
    }

    /// How long until something that happens every `mean` on average, whenever it happened last.
    func waiting(_ mean: Interval) -> Interval {
        let share = Double(next() >> 11 | 1) / Double(1 << 53)
        return Interval(nanoseconds: Int64(-log(share) * Double(mean.nanoseconds)))
    }

    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

extension Interval {
    static func * (interval: Interval, factor: Int64) -> Interval {
        let (product, overflow) = interval.nanoseconds.multipliedReportingOverflow(by: factor)
        return Interval(nanoseconds: overflow ? .max : product)
    }

    static func + (one: Interval, other: Interval) -> Interval {
        let (sum, overflow) = one.nanoseconds.addingReportingOverflow(other.nanoseconds)
        return Interval(nanoseconds: overflow ? .max : sum)
    }

    static func - (one: Interval, other: Interval) -> Interval { Interval(nanoseconds: one.nanoseconds - other.nanoseconds) }

    static func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1000) }
    static func minutes(_ count: Int64) -> Interval { .seconds(count * 60) }

    /// In the largest unit that keeps the number readable.
    var text: String {
        let ns = nanoseconds
        switch ns.magnitude {
        case 0..<10_000: return "\(ns) ns"
        case 10_000..<10_000_000: return "\(ns / 1000) us"
        case 10_000_000..<10_000_000_000: return "\(ns / 1_000_000) ms"
        default: return "\(ns / 1_000_000_000) s"
        }
    }
}

extension Instant {
    static let start = Instant(nanoseconds: 1_000_000_000)

    /// Seconds with three digits behind the point.
    var text: String {
        let milliseconds = nanoseconds / 1_000_000
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}
