import Heartbeat
import Testing

@testable import Session

struct PongBudgetTests {
    @Test func allowsSoManyASecond() {
        let start = Instant(nanoseconds: 5_000_000_000)
        var budget = PongBudget(perSecondMax: 2, start)
        #expect(budget.spend(start))
        #expect(budget.spend(start + .milliseconds(900)))
        #expect(!budget.spend(start + .milliseconds(999)))
        #expect(budget.spend(start + .seconds(1)))
        #expect(budget.spend(start + .seconds(1)))
        #expect(!budget.spend(start + .milliseconds(1999)))
        #expect(budget.spend(start + .seconds(100)))
    }

    @Test func isNothingWithoutAConnection() {
        var budget = PongBudget()
        #expect(!budget.spend(Instant(nanoseconds: 0)))
        #expect(!budget.spend(Instant(nanoseconds: .max)))
    }
}
