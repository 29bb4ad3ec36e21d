import Heartbeat
import Testing

struct RoundTripWindowTests {
    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    private func window(_ microseconds: [Int64]) -> RoundTripWindow {
        var window = RoundTripWindow()
        for count in microseconds { window.record(Interval(nanoseconds: count * 1000), at(0)) }
        return window
    }

    @Test func isAllZeroAtFirst() {
        let window = RoundTripWindow()
        #expect(window.count == 0 && window.variance == 0)
        for time in [window.last, window.mean, window.meanOfAll, window.shortest, window.longest, window.jitter] { #expect(time == .zero) }
    }

    @Test func keepsTheLastSixteen() {
        let window = window([9000] + (1...16).map { $0 * 1000 })
        #expect(window.count == 16)
        #expect(window.last == .milliseconds(16))
        #expect(window.shortest == .milliseconds(1))
        #expect(window.longest == .milliseconds(16))
        #expect(window.mean == Interval(nanoseconds: 8_500_000))
        #expect(window.meanOfAll == Interval(nanoseconds: 145_000_000 / 17))
        // The variance of 1 to n is (n² - 1) / 12.
        #expect(window.variance == 21_250_000)
    }

    @Test func tellsHowLongAgoEachWasMeasured() {
        var window = RoundTripWindow()
        #expect(window.recent(at(5)).isEmpty)
        for second in Int64(1)...18 { window.record(.milliseconds(second), at(second)) }
        let recent = window.recent(at(20))
        #expect(recent.map(\.roundTrip) == (3...18).map { .milliseconds($0) })
        #expect(recent.map(\.age) == (3...18).map { .seconds(20 - $0) })
        window.connectionOpened()
        window.record(.milliseconds(7), at(21))
        #expect(window.recent(at(21)).map(\.age) == [.zero])
    }

    @Test func varianceIsTheMeanOfSquaredDistances() {
        #expect(window([5000]).variance == 0)
        #expect(window([5000, 5000, 5000]).variance == 0)
        #expect(window([10_000, 20_000, 60_000]).variance == 1_400_000_000 / 3)
        #expect(window([0, .max / 1000]).variance == (2_147_483_647 * 2_147_483_647 + 2_147_483_648 * 2_147_483_648) / 2)
    }

    @Test func varianceSaturates() {
        let window = window([Int64](repeating: 0, count: 8) + [Int64](repeating: .max / 1000, count: 8))
        #expect(window.variance == .max)
    }

    /// J += (|D| - J) / 16, in whole sixteenths.
    @Test func jitterFollowsTheDistancesOfNeighbours() {
        #expect(window([5000]).jitter == .zero)
        #expect(window([5000, 5000, 5000]).jitter == .zero)
        #expect(window([5000, 21_000]).jitter == .milliseconds(1))
        #expect(window([21_000, 5000]).jitter == .milliseconds(1))
        #expect(window([5000, 21_000, 21_000]).jitter == Interval(nanoseconds: 937_000))
        let alternating = window((0..<400).map { $0 % 2 == 0 ? 5000 : 21_000 })
        #expect(abs(alternating.jitter.nanoseconds - 16_000_000) < 10_000)
    }

    @Test func aNewConnectionStartsAnewButForTheLastAndTheMeanOfAll() {
        var window = window([10_000, 40_000])
        window.connectionOpened()
        #expect(window.count == 0 && window.variance == 0)
        #expect(window.mean == .zero && window.jitter == .zero && window.shortest == .zero)
        #expect(window.last == .milliseconds(40))
        #expect(window.meanOfAll == .milliseconds(25))
        window.record(.milliseconds(70), at(0))
        #expect(window.count == 1 && window.jitter == .zero)
        #expect(window.mean == .milliseconds(70))
        #expect(window.meanOfAll == .milliseconds(40))
    }

    @Test func theMeanOfAllStartsOverInsteadOfOverflowing() {
        var window = RoundTripWindow()
        window.record(Interval(nanoseconds: .max), at(0))
        window.record(.milliseconds(4), at(0))
        #expect(window.last == .milliseconds(4))
        #expect(window.meanOfAll == .milliseconds(4))
        #expect(window.longest == Interval(nanoseconds: 4_294_967_295_000))
    }
}
