/// The history of outcomes, and what is reported of it.
import Session
import Testing

struct OutcomesTests {
    @Test func knowsNothingOfWhatHasNotComeToAnOutcome() {
        let outcomes = Outcomes()
        #expect([0, 1, .max].map { outcomes[$0] } == [nil, nil, nil])
        #expect(!outcomes.hasReports)
    }

    @Test func remembersOutcomesInAnyOrder() {
        let ids: [UInt64] = [1, 2, 7, 6, 4, 3, 9, 5, 8]
        var outcomes = Outcomes()
        for (step, id) in ids.enumerated() {
            outcomes.settle(id, id % 3 == 0 ? .cancelled : .sent, isReported: false)
            for other in UInt64(0)...10 {
                let expected: Outcome? = ids[...step].contains(other) ? (other % 3 == 0 ? .cancelled : .sent) : nil
                #expect(outcomes[other] == expected, "\(other) after \(id)")
            }
        }
    }

    /// Were they not joined, the first would be forgotten.
    @Test func joinsNeighbours() {
        var outcomes = Outcomes()
        let last = UInt64(4 * Outcomes.stretchesMin)
        for id in stride(from: 1, through: last, by: 4) {
            for id in [id + 2, id, id + 1, id + 3] { outcomes.settle(id, .sent, isReported: false) }
        }
        #expect([0, 1, last, last + 1].map { outcomes[$0] } == [nil, .sent, .sent, nil])
    }

    @Test func joinsNeighboursBackwards() {
        var outcomes = Outcomes()
        let last = UInt64(2 * Outcomes.stretchesMin)
        for id in (1...last).reversed() { outcomes.settle(id, .cancelled, isReported: false) }
        #expect((1...last).allSatisfy { outcomes[$0] == .cancelled })
    }

    @Test func forgetsTheOldestStretchesOnly() {
        var outcomes = Outcomes()
        let last = UInt64(3 * Outcomes.stretchesMin)
        for id in 1...last { outcomes.settle(id, id % 2 == 0 ? .sent : .dropped, isReported: false) }
        #expect(outcomes[1] == nil)
        let remembered = UInt64(Outcomes.stretchesMin)
        for id in (last - remembered + 1)...last { #expect(outcomes[id] == (id % 2 == 0 ? .sent : .dropped)) }
        #expect((1...last).count { outcomes[$0] != nil } <= Outcomes.stretchesMin * 9 / 8)
    }

    @Test func reportsStretchesOnce() {
        var outcomes = Outcomes()
        for id in UInt64(1)...3 { outcomes.settle(id, .sent, isReported: id == 2) }
        for id in UInt64(4)...6 { outcomes.settle(id, .expired, isReported: true) }
        outcomes.settle(8, .expired, isReported: true)
        outcomes.settle(9, .dropped, isReported: true)
        outcomes.settle(7, .cancelled, isReported: true)
        let (had, reports, again) = (outcomes.hasReports, outcomes.takeReports(), outcomes.takeReports())
        #expect(had)
        #expect(
            reports == [
                OutcomeStretch(first: 2, last: 2, outcome: .sent), OutcomeStretch(first: 4, last: 6, outcome: .expired),
                OutcomeStretch(first: 8, last: 8, outcome: .expired), OutcomeStretch(first: 9, last: 9, outcome: .dropped),
                OutcomeStretch(first: 7, last: 7, outcome: .cancelled),
            ])
        #expect(reports[1].count == 3)
        #expect(again == [])
        let counts = outcomes.counts
        #expect([counts.expired, counts.dropped, counts.cancelled] == [4, 1, 1])
    }
}
