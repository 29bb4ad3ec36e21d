/// The heap of messages' deadlines.
import Heartbeat
import Session
import Testing

struct DeadlinesTests {
    private func deadline(_ moment: Int64, _ id: UInt64) -> Deadlines.Deadline {
        .init(expiry: Instant(nanoseconds: moment), id: id)
    }

    @Test func givesThemInTheOrderOfTime() {
        var random = SystemRandomNumberGenerator()
        for count in [0, 1, 2, 3, 10, 200] {
            var deadlines = Deadlines()
            let moments = (0..<count).map { _ in Int64.random(in: 0..<100, using: &random) }
            for (id, moment) in moments.enumerated() {
                deadlines.add(deadline(moment, UInt64(id)))
                let next = deadlines.next?.nanoseconds
                #expect(next == moments[...id].min())
            }
            var due: [Int64] = []
            while let id = deadlines.popDue(Instant(nanoseconds: 60)) { due.append(moments[Int(id)]) }
            #expect(due == moments.filter { $0 <= 60 }.sorted())
            let rest = deadlines.heap.count
            #expect(rest == moments.count { $0 > 60 })
        }
    }

    @Test func isEmptyOnceNoMessageWaits() {
        var deadlines = Deadlines()
        for id in UInt64(1)...3 { deadlines.add(deadline(5, id)) }
        for _ in 0..<2 { deadlines.forgetOne() }
        let before = deadlines.next?.nanoseconds
        #expect(before == 5)
        deadlines.forgetOne()
        let after = deadlines.next?.nanoseconds
        #expect(after == nil)
    }

    @Test func saysWhenMostMessagesHaveLeft() {
        var deadlines = Deadlines()
        for id in UInt64(1)...100 { deadlines.add(deadline(5, id)) }
        for _ in 0..<50 { deadlines.forgetOne() }
        let atHalf = deadlines.areMostlyStale
        deadlines.forgetOne()
        let beyond = deadlines.areMostlyStale
        #expect(!atHalf)
        #expect(beyond)
    }
}
