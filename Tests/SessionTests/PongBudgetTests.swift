import Heartbeat
import Testing

@testable import Session

struct PongBudgetTests {
    @Test func allowsSoManyASecond() {
        let start = Instant(nanoseconds: 5_000_000_000)
        var budget = PongBudget(perSecondMax: 2, start)
        let spent = [0, 900, 999, 1000, 1000, 1999, 100_000].map { budget.spend(start + .milliseconds($0)) }
        #expect(spent == [true, true, false, true, true, false, true])
    }

    @Test func isNothingWithoutAConnection() {
        var budget = PongBudget()
        let spent = [0, Int64.max].map { budget.spend(Instant(nanoseconds: $0)) }
        #expect(spent == [false, false])
    }
}
