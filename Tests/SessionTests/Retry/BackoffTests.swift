import Heartbeat
import Session
import Testing

struct BackoffTests {
    private func backoff(
        base: Interval = .milliseconds(500), cap: Interval = .seconds(30), factorPercent: Int = 200, jitter: Backoff.Jitter = .full,
        attemptsMax: Int = 0, failures: Int
    ) -> Backoff {
        var backoff = Backoff(
            .init(base: base, cap: cap, factorPercent: factorPercent, jitter: jitter, attemptsMax: attemptsMax))
        for _ in 0..<failures { backoff.recordFailure() }
        return backoff
    }

    @Test(
        arguments: [
            (0, 500), (1, 500), (2, 1000), (3, 2000), (4, 4000), (5, 8000), (6, 16000), (7, 30000), (8, 30000), (1000, 30000),
        ] as [(Int, Int64)])
    func doublesUpToTheCap(failures: Int, milliseconds: Int64) {
        #expect(backoff(failures: failures).ceiling == .milliseconds(milliseconds))
    }

    @Test(
        arguments: [
            (100, [500, 500, 500, 500]), (150, [500, 750, 1125, 1687]), (300, [500, 1500, 4500, 13500, 30000, 30000]),
            (1000, [500, 5000, 30000]),
        ] as [(Int, [Int64])])
    func growsByItsFactor(percent: Int, milliseconds: [Int64]) {
        for (index, expected) in milliseconds.enumerated() {
            let ceiling = backoff(factorPercent: percent, failures: index + 1).ceiling
            #expect(ceiling.nanoseconds / 1_000_000 == expected)
        }
    }

    @Test func aBaseAboveTheCapIsTheCap() {
        for failures in 0..<5 {
            #expect(backoff(base: .seconds(60), cap: .seconds(10), failures: failures).ceiling == .seconds(10))
        }
    }

    @Test(arguments: Backoff.Jitter.allCases) func saturatesWithHugeValues(jitter: Backoff.Jitter) {
        let huge = Interval(nanoseconds: .max)
        var random = Random(seed: 1)
        for failures in [0, 1, 2, 62, 63, 64, 100] {
            for percent in [100, 101, 200, 1000] {
                let grown = backoff(
                    base: Interval(nanoseconds: 1), cap: huge, factorPercent: percent, jitter: jitter, failures: failures)
                #expect(grown.ceiling >= Interval(nanoseconds: 1))
                let largest = backoff(base: huge, cap: huge, factorPercent: percent, jitter: jitter, failures: failures)
                #expect(largest.ceiling == huge)
                #expect(largest.delay(&random) >= .zero)
                let none = backoff(base: .zero, cap: .zero, factorPercent: percent, jitter: jitter, failures: failures)
                #expect(none.delay(&random) == .zero)
            }
        }
        #expect(backoff(base: Interval(nanoseconds: 1), cap: huge, failures: 100).ceiling == huge)
    }

    /// Each kind of jitter reaches all of its range and no more, evenly.
    @Test(
        arguments: [(.full, 0, 1000), (.equal, 500, 1000), (.quarter, 1000, 1250), (.none, 1000, 1000)] as [(Backoff.Jitter, Int64, Int64)])
    func drawsEvenlyFromItsRange(jitter: Backoff.Jitter, low: Int64, high: Int64) {
        let backoff = backoff(jitter: jitter, failures: 2)
        var random = Random(seed: 7)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            let delay = backoff.delay(&random)
            #expect(delay >= .milliseconds(low) && delay <= .milliseconds(high))
            let span = max(1, (high - low) * 1_000_000)
            counts[min(9, Int((delay.nanoseconds - low * 1_000_000) * 10 / span))] += 1
        }
        if jitter != .none { for count in counts { #expect((800...1200).contains(count)) } }
    }

    /// Whatever the configuration and the history, delays stay within what the jitter makes of the cap.
    @Test func staysWithinBoundsWhateverHappens() {
        var random = Random(seed: 42)
        for _ in 0..<2000 {
            let base = random.interval(from: .milliseconds(1), through: .seconds(86400))
            let cap = random.interval(from: .milliseconds(1), through: .seconds(86400))
            let jitter = Backoff.Jitter.allCases[Int(random.next(through: 3))]
            let percent = 100 + Int(random.next(through: 900))
            var backoff = backoff(base: base, cap: cap, factorPercent: percent, jitter: jitter, failures: 0)
            var before = backoff.ceiling
            for _ in 0..<Int(random.next(through: 40)) {
                backoff.recordFailure()
                #expect(backoff.ceiling >= before && backoff.ceiling <= cap)
                before = backoff.ceiling
                let delay = backoff.delay(&random)
                #expect(delay >= (jitter == .full ? .zero : Interval(nanoseconds: before.nanoseconds / 2)))
                #expect(delay.nanoseconds <= before.nanoseconds + (jitter == .quarter ? before.nanoseconds / 4 : 0))
            }
        }
    }

    @Test func startsOverAfterAReset() {
        var backoff = backoff(failures: 5)
        #expect(backoff.failures == 5)
        backoff.reset()
        #expect(backoff.failures == 0)
        #expect(backoff.ceiling == .milliseconds(500))
    }

    @Test func isExhaustedAfterSoManyFailuresInARow() {
        #expect(!backoff(attemptsMax: 3, failures: 2).isExhausted)
        #expect(backoff(attemptsMax: 3, failures: 3).isExhausted)
        #expect(backoff(attemptsMax: 3, failures: 4).isExhausted)
        #expect(!backoff(attemptsMax: 0, failures: 100_000).isExhausted)
    }
}
