import Heartbeat
import Testing

struct AdaptiveIntervalTests {
    @Test(
        arguments: [
            (20_000, .unknown, 20_000), (20_000, .excellent, 20_000), (20_000, .good, 20_000), (20_000, .fair, 15_000),
            (20_000, .poor, 10_000),
            (2000, .poor, 1000), (1900, .poor, 1000), (1200, .fair, 1000), (1000, .fair, 1000), (1000, .poor, 1000),
            (800, .poor, 800), (800, .fair, 800), (800, .good, 800),
        ] as [(Int64, Quality, Int64)])
    func aBadWayIsLookedAtMoreOften(base: Int64, quality: Quality, expected: Int64) {
        #expect(Interval.milliseconds(base).adapted(to: quality) == .milliseconds(expected))
    }

    @Test func theLongestIntervalDoesNotOverflow() {
        let longest = Interval(nanoseconds: .max)
        #expect(longest.adapted(to: .good) == longest)
        #expect(longest.adapted(to: .fair) > longest.adapted(to: .poor))
    }
}
