import Heartbeat
import Testing

struct InstantTests {
    @Test func addsAndSubtracts() {
        let start = Instant(nanoseconds: 5)
        #expect(start + .milliseconds(2) == Instant(nanoseconds: 2_000_005))
        #expect(start + .seconds(3) - start == .milliseconds(3000))
        #expect(start - (start + .seconds(1)) == Interval(nanoseconds: -1_000_000_000))
        #expect(start < start + .milliseconds(1))
        #expect(Interval.zero < .milliseconds(1))
    }

    @Test func saturatesInsteadOfTrapping() {
        let last = Instant(nanoseconds: .max)
        #expect(last + .milliseconds(1) == last)
        #expect(Instant(nanoseconds: 1) + Interval(nanoseconds: .max) == last)
        #expect(last - Instant(nanoseconds: .min) == Interval(nanoseconds: .max))
        #expect(Interval.milliseconds(.max) == Interval(nanoseconds: .max))
        #expect(Interval.seconds(.max / 1000) == Interval(nanoseconds: .max))
    }
}
