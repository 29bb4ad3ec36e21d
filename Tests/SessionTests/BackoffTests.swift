import Heartbeat
import Session
import Testing

struct BackoffTests {
    private func backoff(base: Interval = .milliseconds(500), cap: Interval = .seconds(30), attemptsMax: Int = 0, failures: Int) -> Backoff
    {
        var backoff = Backoff(.init(base: base, cap: cap, attemptsMax: attemptsMax))
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

    @Test func aBaseAboveTheCapIsTheCap() {
        for failures in 0..<5 {
            #expect(backoff(base: .seconds(60), cap: .seconds(10), failures: failures).ceiling == .seconds(10))
        }
    }

    @Test func saturatesWithHugeValues() {
        let huge = Interval(nanoseconds: .max)
        for failures in [0, 1, 2, 62, 63, 64, 100] {
            let grown = backoff(base: Interval(nanoseconds: 1), cap: huge, failures: failures).ceiling
            #expect(grown >= Interval(nanoseconds: 1))
            #expect(backoff(base: huge, cap: huge, failures: failures).ceiling == huge)
            #expect(backoff(base: .zero, cap: .zero, failures: failures).ceiling == .zero)
        }
        #expect(backoff(base: Interval(nanoseconds: 1), cap: huge, failures: 100).ceiling == huge)
        var random = Random(seed: 1)
        let delay = backoff(base: huge, cap: huge, failures: 9).delay(&random)
        #expect(delay >= .zero)
    }

    /// Full jitter: any delay from zero to the ceiling, evenly.
    @Test func delaysCoverTheWholeRangeEvenly() {
        let backoff = backoff(failures: 2)
        var random = Random(seed: 7)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 {
            let delay = backoff.delay(&random)
            #expect(delay >= .zero && delay <= .seconds(1))
            counts[min(9, Int(delay.nanoseconds / 100_000_000))] += 1
        }
        for count in counts { #expect((800...1200).contains(count)) }
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
