import Heartbeat
import Testing

struct ChangeTests {
    @Test func aChangeIsReportedOnce() {
        var level = Reported(1)
        #expect(level.update(1) == nil)
        #expect(level.update(2) == Change(from: 1, to: 2))
        #expect(level.update(2) == nil)
        #expect(level.value == 2)
        #expect(level.update(1) == Change(from: 2, to: 1))
    }
}
