import Heartbeat
import Testing

struct CadenceTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }

    @Test func isFirstDueAfterOneInterval() {
        var cadence = Cadence(every: .milliseconds(100), from: at(50))
        #expect(cadence.due == at(150))
        #expect(cadence.tick(at(50)) == false)
        #expect(cadence.tick(at(149)) == false)
        #expect(cadence.tick(at(150)) == true)
        #expect(cadence.tick(at(150)) == false)
        #expect(cadence.due == at(250))
    }

    @Test func keepsItsPhaseWhenItIsAskedLate() {
        var cadence = Cadence(every: .milliseconds(100), from: at(0))
        #expect(cadence.tick(at(130)) == true)
        #expect(cadence.due == at(200))
        #expect(cadence.tick(at(299)) == true)
        #expect(cadence.due == at(300))
    }

    @Test(arguments: [(1000, 1100), (1001, 1100), (1099, 1100), (1100, 1200), (86_400_000, 86_400_100)] as [(Int64, Int64)])
    func skipsMissedTicksInsteadOfMakingUpForThem(now: Int64, nextDue: Int64) {
        var cadence = Cadence(every: .milliseconds(100), from: at(0))
        #expect(cadence.tick(at(now)) == true)
        #expect(cadence.tick(at(now)) == false)
        #expect(cadence.due == at(nextDue))
    }

    @Test func neverComesDueBeyondTheEndOfTime() {
        var cadence = Cadence(every: Interval(nanoseconds: .max), from: at(1))
        #expect(cadence.tick(at(86_400_000)) == false)
        #expect(cadence.due == Instant(nanoseconds: .max))
    }
}
