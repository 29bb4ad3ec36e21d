/// Pings whose interval changes: none comes later for it than it would have come, and none sooner than an interval after the last.
import Heartbeat
import Testing

struct PingIntervalTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }

    /// Opened at 0, a ping each 300 ms.
    private func schedule(salt: UInt64 = 0, isSpread: Bool = false) -> PingSchedule {
        var configuration = PingSchedule.Configuration(interval: .milliseconds(300), timeout: .seconds(1000), missedMax: 1000)
        configuration.isSpread = isSpread
        return PingSchedule(configuration, salt: salt, opened: at(0))
    }

    /// When pings are sent up to `end`, in milliseconds.
    private func run(_ pings: inout PingSchedule, until end: Int64) -> [Int64] {
        var times: [Int64] = []
        while pings.deadline <= at(end) {
            let now = pings.deadline
            if case .send = pings.poll(now) { times.append(now.nanoseconds / 1_000_000) }
        }
        return times
    }

    @Test func aShorterIntervalBringsTheNextPingForward() {
        var pings = schedule()
        #expect(run(&pings, until: 310) == [300])
        pings.setInterval(.milliseconds(150), at(310))
        #expect(pings.interval == .milliseconds(150))
        #expect(run(&pings, until: 800) == [450, 600, 750])
    }

    @Test func whatWouldHaveBeenDueIsDueNowAndTheNextAnIntervalLater() {
        var pings = schedule()
        #expect(run(&pings, until: 580) == [300])
        pings.setInterval(.milliseconds(150), at(580))
        #expect(pings.deadline == at(580))
        #expect(run(&pings, until: 900) == [580, 730, 880])
    }

    @Test func aLongerIntervalHoldsFromTheNextPingOn() {
        var pings = schedule()
        pings.setInterval(.milliseconds(100), at(0))
        #expect(run(&pings, until: 210) == [100, 200])
        pings.setInterval(.milliseconds(300), at(210))
        #expect(run(&pings, until: 1000) == [300, 600, 900])
        #expect(pings.interval == .milliseconds(300))
    }

    @Test func ofChangesBeforeThePingTheShortestHoldsForItAndTheLastAfterIt() {
        var pings = schedule()
        pings.setInterval(.milliseconds(100), at(10))
        pings.setInterval(.milliseconds(200), at(20))
        pings.setInterval(.milliseconds(150), at(30))
        #expect(run(&pings, until: 500) == [100, 250, 400])
    }

    @Test(arguments: [150, 200] as [Int64]) func spreadPingsStaySpread(interval: Int64) {
        let count = 1500
        var slots = [Int](repeating: 0, count: 40)
        for number in 0..<count {
            // All phases, each as often as the others.
            let phase = UInt64(number) * 300_000_000 / UInt64(count)
            var pings = schedule(salt: phase << 1, isSpread: true)
            while pings.deadline <= at(1000) {
                let now = pings.deadline
                guard case .send = pings.poll(now) else { continue }
                slots[min(39, Int(now.nanoseconds / 25_000_000))] += 1
                // Each learns of its bad way 20 ms after a ping of its own.
                pings.setInterval(.milliseconds(interval), now + .milliseconds(20))
            }
        }
        let evenly = count * 25 / Int(interval)
        #expect(slots.allSatisfy { $0 <= 2 * evenly })
    }

    /// Thousands that connected at any time are due at few moments, all of them used, and each within the interval and a step.
    @Test func spreadPingsAreDueInHandfuls() {
        var random = SystemRandomNumberGenerator()
        var moments: Set<Int64> = []
        for number in 0..<20_000 {
            let opened = at(0) + Interval(nanoseconds: Int64(number) * 7_919)
            let configuration = {
                var configuration = PingSchedule.Configuration(interval: .seconds(30), timeout: .seconds(5), missedMax: 2)
                configuration.isSpread = true
                return configuration
            }()
            let pings = PingSchedule(configuration, salt: random.next(), opened: opened)
            #expect(pings.deadline > opened && pings.deadline - opened <= .milliseconds(30_100))
            moments.insert(pings.deadline.nanoseconds)
        }
        #expect((290...304).contains(moments.count))
    }
}
