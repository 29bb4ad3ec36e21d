import Heartbeat
import Testing

struct RoundTripsTests {
    @Test func startsAtZero() {
        let roundTrips = RoundTrips()
        #expect(roundTrips.last == .zero)
        #expect(roundTrips.mean == .zero)
    }

    @Test func keepsTheLastAndTheMean() {
        var roundTrips = RoundTrips()
        for milliseconds in [10, 20, 60] as [Int64] { roundTrips.record(.milliseconds(milliseconds)) }
        #expect(roundTrips.last == .milliseconds(60))
        #expect(roundTrips.mean == .milliseconds(30))
    }

    @Test func startsOverInsteadOfOverflowing() {
        var roundTrips = RoundTrips()
        roundTrips.record(Interval(nanoseconds: .max))
        roundTrips.record(.milliseconds(4))
        #expect(roundTrips.last == .milliseconds(4))
        #expect(roundTrips.mean == .milliseconds(4))
    }
}
