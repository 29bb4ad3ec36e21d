/// How long a message was under way, by the timestamp that the server wrote into it.
package struct OneWayLatency: Equatable {
    /// The local wall clock at arrival less the timestamp, in nanoseconds: negative if the clocks differ by more than the way takes.
    package let raw: Int64
    /// How far the local clock runs ahead of the server's; nil before the first round trip.
    package let offset: Int64?

    /// Without the difference of the clocks.
    package var corrected: Int64? { offset.map { ClockOffset.difference(raw, $0) } }
}

/// Estimates how far the local wall clock runs ahead of the server's: the message that was fastest in the last three to four minutes took
/// half of the fastest round trip.
///
/// That is long enough to hold an undisturbed message, and short enough that clocks which run apart by 50 millionths differ by 12 ms.
package struct ClockOffset {
    private static let periodLength = Interval.seconds(60)
    private static let periodCount = 4
    /// A wall clock that moves so much against the monotonic one was set, not adjusted.
    private static let step = Interval.milliseconds(100)

    /// The smallest raw latency in each of the last periods; the largest number where there was none.
    private var smallest = InlineArray<4, Int64>(repeating: .max)
    private var period: Int64 = 0
    /// The wall clock's lead over the monotonic one.
    private var wallLead: Int64?

    package init() {}

    /// `server` and `local` are nanoseconds since 1970: the timestamp, and the wall clock when the message arrived, which was `now`.
    package mutating func record(server: Int64, local: Int64, roundTrips: RoundTripWindow, _ now: Instant) -> OneWayLatency {
        forgetIfClockWasSet(local, now)
        advance(to: now.nanoseconds / Self.periodLength.nanoseconds)
        let raw = Self.difference(local, server)
        let slot = Self.slot(period)
        smallest[slot] = min(smallest[slot], raw)
        guard roundTrips.count > 0 else { return OneWayLatency(raw: raw, offset: nil) }
        var fastest = Int64.max
        for index in 0..<Self.periodCount { fastest = min(fastest, smallest[index]) }
        return OneWayLatency(raw: raw, offset: Self.difference(fastest, roundTrips.shortest.nanoseconds / 2))
    }

    private mutating func forgetIfClockWasSet(_ local: Int64, _ now: Instant) {
        let lead = Self.difference(local, now.nanoseconds)
        let moved = wallLead.map { Self.difference(lead, $0).magnitude } ?? 0
        if moved > Self.step.nanoseconds.magnitude { smallest = .init(repeating: .max) }
        wallLead = lead
    }

    /// Empties the periods that have begun since the last sample.
    private mutating func advance(to current: Int64) {
        let begun = min(max(0, Self.difference(current, period)), Int64(Self.periodCount))
        for age in 0..<begun { smallest[Self.slot(current &- age)] = .max }
        period = current
    }

    private static func slot(_ period: Int64) -> Int { Int(UInt64(bitPattern: period) % UInt64(periodCount)) }

    /// Saturates: a timestamp may be any number.
    static func difference(_ a: Int64, _ b: Int64) -> Int64 {
        let (result, overflow) = a.subtractingReportingOverflow(b)
        return overflow ? (a < 0 ? .min : .max) : result
    }
}
