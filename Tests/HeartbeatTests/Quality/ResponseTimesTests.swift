import Heartbeat
import Testing

struct ResponseTimesTests {
    private let limits = ResponseTimes.Limits()

    @Test(
        arguments: [
            (0, .onTarget), (500_000_000, .onTarget), (500_000_001, .aboveTarget), (1_000_000_000, .aboveTarget), (1_000_000_001, .warning),
            (2_000_000_000, .warning), (2_000_000_001, .critical), (3_000_000_000, .critical), (3_000_000_001, .overdue), (.max, .overdue),
        ] as [(Int64, ResponseLevel)])
    func aLimitIsCrossedBeyondIt(nanoseconds: Int64, level: ResponseLevel) {
        #expect(limits.level(of: Interval(nanoseconds: nanoseconds)) == level)
    }

    @Test func theWorstLimitDecidesWhateverTheirOrder() {
        var limits = ResponseTimes.Limits()
        limits.timeout = .milliseconds(100)
        #expect(limits.level(of: .milliseconds(100)) == .onTarget)
        #expect(limits.level(of: .milliseconds(101)) == .overdue)
    }

    @Test func eachCrossingIsReportedOnce() {
        var times = ResponseTimes()
        #expect(times.level == .onTarget)
        #expect(times.record(.milliseconds(20), limits: limits) == nil)
        #expect(times.record(.milliseconds(1500), limits: limits) == Change(from: .onTarget, to: .warning))
        #expect(times.record(.milliseconds(1600), limits: limits) == nil)
        #expect(times.level == .warning)
        #expect(times.record(.seconds(4), limits: limits) == Change(from: .warning, to: .overdue))
        #expect(times.record(.milliseconds(20), limits: limits) == Change(from: .overdue, to: .onTarget))
    }

    @Test func aFirstSlowAnswerIsACrossing() {
        var times = ResponseTimes()
        #expect(times.record(.milliseconds(600), limits: limits) == Change(from: .onTarget, to: .aboveTarget))
    }

    @Test func theWindowForgetsAndTheHistogramDoesNot() {
        var times = ResponseTimes()
        #expect(times.recent.count == 0 && times.all.count == 0)
        for _ in 0..<100 { _ = times.record(.milliseconds(100), limits: limits) }
        for _ in 0..<100 { _ = times.record(.milliseconds(1), limits: limits) }
        #expect(times.recent.count == 100)
        #expect(times.recent.max == .milliseconds(1))
        #expect(times.all.count == 200)
        #expect(times.all.percentile(permille: 1000) > .milliseconds(87))
    }

    @Test func copiesAreIndependent() {
        var times = ResponseTimes()
        _ = times.record(.milliseconds(1), limits: limits)
        let copy = times
        _ = times.record(.milliseconds(2), limits: limits)
        #expect(copy.recent.count == 1)
        #expect(times.recent.count == 2)
    }

    /// Many connections answer nothing: they pay for a pointer.
    @Test func takesLittleMemory() {
        #expect(MemoryLayout<ResponseTimes>.size == MemoryLayout<UnsafeRawPointer>.size)
        let arrayHeader = 32
        #expect(arrayHeader + MemoryLayout<ResponseWindow>.stride + MemoryLayout<TimeHistogram>.stride + 8 <= 700)
    }
}
