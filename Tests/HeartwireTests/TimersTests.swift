import Heartbeat
import Testing

@testable import Heartwire

struct TimersTests {
    private func at(_ time: Int64) -> Instant { Instant(nanoseconds: time) }

    @Test func comeUpInTheOrderOfTheirTimes() {
        var timers = Timers()
        #expect(timers.next == nil)
        #expect(timers.popDue(at(100)) == nil)
        for (slot, due) in [(0, 30), (1, 10), (2, 20)] as [(Int, Int64)] { timers.schedule(slot: slot, at: at(due)) }
        #expect(timers.next == at(10))
        #expect(timers.popDue(at(9)) == nil)
        #expect(timers.popDue(at(30)) == 1)
        #expect(timers.popDue(at(30)) == 2)
        #expect(timers.popDue(at(30)) == 0)
        #expect(timers.popDue(at(30)) == nil)
        #expect(timers.next == nil)
    }

    @Test func anEarlierTimeReplacesALaterOneAndNotTheOtherWayRound() {
        var timers = Timers()
        timers.schedule(slot: 3, at: at(50))
        timers.schedule(slot: 3, at: at(80))
        #expect(timers.next == at(50))
        timers.schedule(slot: 3, at: at(20))
        #expect(timers.popDue(at(20)) == 3)
        #expect(timers.popDue(at(100)) == nil)
    }

    @Test(arguments: 0..<50 as Range<UInt64>) func agreeWithANaiveModel(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var timers = Timers()
        var model: [Int: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<500 {
            if Bool.random(using: &generator) {
                let slot = Int.random(in: 0..<12, using: &generator)
                let due = now + Int64.random(in: -5...100, using: &generator)
                timers.schedule(slot: slot, at: at(due))
                model[slot] = min(model[slot] ?? .max, due)
            } else {
                now += Int64.random(in: 0...30, using: &generator)
                var popped: [Int64] = []
                while let slot = timers.popDue(at(now)) {
                    guard let due = model.removeValue(forKey: slot) else {
                        Issue.record("slot \(slot) came up without having been scheduled")
                        return
                    }
                    popped.append(due)
                }
                #expect(popped == popped.sorted())
                #expect(popped.allSatisfy { $0 <= now })
                #expect(model.values.allSatisfy { $0 > now })
            }
            if let earliest = model.values.min() {
                // Waking too early is harmless, too late is not.
                #expect(timers.next.map { $0 <= at(earliest) } == true)
            }
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        let mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        return mixed ^ (mixed >> 27)
    }
}
