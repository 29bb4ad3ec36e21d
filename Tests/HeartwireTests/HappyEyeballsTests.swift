import CSystem
import Heartbeat
import Testing

@testable import Heartwire

struct HappyEyeballsTests {
    private static let v4 = Int32(AF_INET)
    private static let v6 = Int32(AF_INET6)

    private func families(_ text: String) -> [Int32] { text.map { $0 == "6" ? Self.v6 : Self.v4 } }

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private func schedule(_ text: String, preferred: Int? = nil, timeout: Int64 = 15_000) -> HappyEyeballs {
        HappyEyeballs(families: families(text), preferred: preferred, at(0), deadline: at(timeout))
    }

    /// Each character is an address, 4 or 6, in the resolver's order.
    @Test(
        arguments: [
            ("", nil, []), ("4", nil, [0]), ("6644", nil, [0, 2, 1, 3]), ("4466", nil, [0, 2, 1, 3]), ("666", nil, [0, 1, 2]),
            ("66664", nil, [0, 4, 1, 2, 3]), ("64646", nil, [0, 1, 2, 3, 4]), ("6644", 3, [3, 0, 2, 1]), ("6644", 1, [1, 2, 0, 3]),
            ("6644", 0, [0, 2, 1, 3]), ("44", 1, [1, 0]), ("44", 7, [0, 1]),
        ] as [(String, Int?, [Int])])
    func takesFamiliesInTurn(addresses: String, preferred: Int?, expected: [Int]) {
        #expect(schedule(addresses, preferred: preferred).order == expected)
    }

    @Test func triesNoMoreThanItsLimit() {
        let many = schedule(String(repeating: "6", count: 100) + "4")
        #expect(many.order.count == HappyEyeballs.addressesMax)
        #expect(many.order[1] == 100)
    }

    @Test func beginsOneEveryQuarterSecond() {
        var schedule = schedule("646")
        #expect(schedule.nextStart == at(0))
        #expect(schedule.start(at(0)) == 0)
        #expect(schedule.start(at(0)) == nil)
        #expect(schedule.nextStart == at(250))
        #expect(schedule.start(at(249)) == nil)
        #expect(schedule.start(at(260)) == 1)
        #expect(schedule.nextStart == at(510))
        #expect(schedule.start(at(510)) == 2)
        #expect(schedule.nextStart == nil)
        #expect(schedule.start(at(100_000)) == nil)
    }

    @Test func beginsTheNextAtOnceWhenOneFails() {
        var schedule = schedule("646")
        #expect(schedule.start(at(0)) == 0)
        schedule.failed(at(3))
        #expect(schedule.start(at(3)) == 1)
        #expect(schedule.start(at(3)) == nil)
        #expect(schedule.nextStart == at(253))
        schedule.failed(at(100))
        #expect(schedule.start(at(100)) == 2)
        schedule.failed(at(101))
        #expect(schedule.nextStart == nil)
    }

    @Test func hasNothingToBeginWithoutAddresses() {
        var schedule = schedule("")
        #expect(schedule.nextStart == nil)
        #expect(schedule.start(at(0)) == nil)
    }

    /// Dead addresses before the last leave it a share of even a short time.
    @Test(arguments: [(15_000, 2, 250), (300, 2, 100), (100, 4, 20), (1, 2, 10), (0, 2, 10), (-5, 2, 10)] as [(Int64, Int, Int64)])
    func leavesTimeForEveryAddress(timeout: Int64, count: Int, delay: Int64) {
        var schedule = schedule(String(repeating: "4", count: count), timeout: timeout)
        #expect(schedule.start(at(0)) == 0)
        #expect(schedule.nextStart == at(delay))
    }

    @Test func survivesAnyClock() {
        for (now, deadline) in [(Int64.min, Int64.max), (.max, .min), (.max, .max)] {
            var schedule = HappyEyeballs(
                families: families("64"), preferred: nil, Instant(nanoseconds: now), deadline: Instant(nanoseconds: deadline))
            #expect(schedule.start(Instant(nanoseconds: now)) == 0)
        }
    }
}
