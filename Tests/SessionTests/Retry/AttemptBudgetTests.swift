/// No more attempts within any minute than the budget allows, first come first served, and never many at one instant.
import Heartbeat
import Testing

@testable import Session

struct AttemptBudgetTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    /// Many connections that ask until they are let through, each when it was told to, and some a little late.
    private final class Crowd {
        var budget = AttemptBudget()
        private(set) var begun: [(token: UInt64, at: Instant)] = []
        private(set) var asked = 0
        private var waiting: [(token: UInt64, at: Instant)] = []
        private var random = Random(seed: 11)
        private(set) var now = AttemptBudgetTests.start
        let perMinuteMax: Int
        let latenessMax: Interval

        init(perMinuteMax: Int, latenessMax: Interval = .zero) {
            self.perMinuteMax = perMinuteMax
            self.latenessMax = latenessMax
        }

        func arrive(_ tokens: Range<UInt64>) {
            for token in tokens { waiting.append((token, now)) }
        }

        private func wait(_ token: UInt64, until due: Instant) {
            var (low, high) = (0, waiting.count)
            while low < high {
                let middle = (low + high) / 2
                if waiting[middle].at <= due { low = middle + 1 } else { high = middle }
            }
            waiting.insert((token, due), at: low)
        }

        func giveUp(_ token: UInt64) {
            budget.leave(token)
            waiting.removeAll { $0.token == token }
        }

        func run(until end: Instant) {
            while let first = waiting.first, first.at <= end {
                now = max(now, first.at)
                asked += 1
                let token = waiting.removeFirst().token
                if let due = budget.begin(token, perMinuteMax: perMinuteMax, now, &random) {
                    #expect(due > now && due <= now + .seconds(60))
                    wait(token, until: due + random.interval(from: .zero, through: latenessMax))
                } else {
                    begun.append((token, now))
                }
            }
            now = max(now, end)
        }

        /// The most that began within any minute.
        var most: Int {
            var (most, first) = (0, 0)
            for (index, attempt) in begun.enumerated() {
                while attempt.at >= begun[first].at + .seconds(60) { first += 1 }
                most = max(most, index - first + 1)
            }
            return most
        }
    }

    @Test(arguments: [1, 7, 60, 100, 10_000], [Interval.zero, .milliseconds(20)])
    func keepsToTheBudgetAndUsesIt(perMinuteMax: Int, lateness: Interval) {
        let crowd = Crowd(perMinuteMax: perMinuteMax, latenessMax: lateness)
        let size = 300
        crowd.arrive(0..<UInt64(size))
        let minutes = 5
        crowd.run(until: Self.start + .seconds(Int64(minutes) * 60))
        #expect(crowd.most <= perMinuteMax)
        #expect(crowd.begun.count <= size)
        // A twentieth may be lost to those who come back late.
        #expect(crowd.begun.count * 20 >= min(size, perMinuteMax * minutes) * 19)
        // Waiting costs each of them few questions.
        #expect(crowd.asked <= size * (minutes + 1) * 3)
    }

    @Test func letsAllBeginTogetherWhileThereIsRoom() {
        let crowd = Crowd(perMinuteMax: 100)
        crowd.arrive(0..<100)
        crowd.run(until: Self.start)
        #expect(crowd.begun.count == 100)
    }

    @Test func spreadsThoseWhoWaited() {
        let crowd = Crowd(perMinuteMax: 100)
        crowd.arrive(0..<400)
        crowd.run(until: Self.start + .seconds(240))
        let later = crowd.begun.dropFirst(100)
        #expect(later.count >= 280)
        for (one, next) in zip(later, later.dropFirst()) { #expect(next.at >= one.at + .milliseconds(300)) }
    }

    @Test func servesTheFirstFirst() {
        let crowd = Crowd(perMinuteMax: 10)
        crowd.arrive(0..<30)
        crowd.run(until: Self.start + .seconds(30))
        crowd.arrive(30..<40)
        crowd.run(until: Self.start + .seconds(400))
        #expect(crowd.begun.map(\.token) == Array(0..<40))
    }

    @Test func givesThePlaceOfOneWhoLeavesToTheNext() {
        let crowd = Crowd(perMinuteMax: 1)
        crowd.arrive(0..<3)
        crowd.run(until: Self.start + .seconds(30))
        crowd.giveUp(1)
        crowd.run(until: Self.start + .seconds(125))
        #expect(crowd.begun.map(\.token) == [0, 2])
    }

    @Test func waitsForNobodyWhoGaveUpWithoutAWord() {
        var budget = AttemptBudget()
        var random = Random(seed: 1)
        let answers = [(1, 0), (2, 0), (3, 61), (3, 120)].map { (token: UInt64, second: Int64) in
            budget.begin(token, perMinuteMax: 1, Self.start + .seconds(second), &random)
        }
        #expect(answers[0] == nil)
        #expect(answers[1] == Self.start + .seconds(60))
        #expect(answers[2] != nil)
        #expect(answers[3] == nil)
    }

    @Test func countsTheAttemptsOfThoseWithoutABudget() {
        var budget = AttemptBudget()
        var random = Random(seed: 1)
        for token in 0..<20_000 as Range<UInt64> {
            let due = budget.begin(token, perMinuteMax: 0, Self.start, &random)
            #expect(due == nil)
        }
        let due = budget.begin(1, perMinuteMax: 10_000, Self.start, &random)
        #expect(due == Self.start + .seconds(60))
        let isIdle = [0, 59, 60].map { (second: Int64) in budget.isIdle(Self.start + .seconds(second)) }
        budget.leave(1)
        let isIdleAtLast = budget.isIdle(Self.start + .seconds(60))
        #expect(isIdle == [false, false, false])
        #expect(isIdleAtLast)
    }

    /// Whose minute ends when is not mixed up by it.
    @Test func anAttemptThatWasNotMadeIsTakenBack() {
        var budget = AttemptBudget()
        var random = Random(seed: 1)
        func begin(_ token: UInt64, _ seconds: Int64) -> Instant? {
            budget.begin(token, perMinuteMax: 2, Self.start + .seconds(seconds), &random)
        }
        #expect(begin(1, 0) == nil)
        #expect(begin(2, 40) == nil)
        budget.takeBack(1)
        budget.takeBack(3)
        #expect(begin(3, 70) == nil)
        #expect(begin(4, 71) == Self.start + .seconds(100))
    }
}
