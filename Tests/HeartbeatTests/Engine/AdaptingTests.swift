/// Pings of a connection that come faster while it does badly.
import Heartbeat
import Testing
import WebSocket

struct AdaptingTests {
    /// Pings every 30, 20 or 15 seconds, missed after 10.
    private func harness(_ rules: RuleSet? = nil) -> EngineHarness {
        EngineHarness(rules) {
            $0.ping = .init(interval: .seconds(30), timeout: .seconds(10), missedMax: 100)
            $0.adaptive = AdaptiveInterval(good: .seconds(30), fair: .seconds(20), poor: .seconds(15))
        }
    }

    /// Sends pongs so many milliseconds after each ping, and gives when the pings were sent, in seconds.
    private func pingTimes(_ harness: EngineHarness, answeredAfter roundTrip: Int64, until seconds: Int64) -> [Int64] {
        let before = harness.allSent.count
        while let deadline = harness.engine.deadline, deadline <= EngineHarness.instant(seconds * 1000) {
            let sent = harness.allSent.count
            harness.run(until: deadline)
            guard harness.allSent.count > sent else { continue }
            harness.run(until: deadline + .milliseconds(roundTrip))
            harness.receivePong(harness.allSent[sent].payload)
        }
        return harness.allSent[before...].map { $0.at.nanoseconds / 1_000_000_000 }
    }

    @Test(
        arguments: [(10, [30, 60, 90, 120]), (600, [30, 50, 70, 90, 110]), (1100, [30, 45, 60, 75, 90, 105, 120])] as [(Int64, [Int64])])
    func comesAsOftenAsTheRoundTripsSay(roundTrip: Int64, seconds: [Int64]) {
        #expect(pingTimes(harness(), answeredAfter: roundTrip, until: 120) == seconds)
    }

    @Test func aMissBringsTheNextPingForwardAndAnswersInTimePutItBack() {
        let harness = harness()
        harness.run(until: 40_000)
        #expect(harness.takeNotes().contains("40000 missed 1 ping"))
        #expect(harness.engine.snapshot.pingInterval == .seconds(15))
        #expect(harness.engine.snapshot.isPingedFaster)
        // One miss among ten is a tenth, and no more than that: nine answers and the ping after them.
        let times = pingTimes(harness, answeredAfter: 10, until: 300)
        #expect(times == [45, 60, 75, 90, 105, 120, 135, 150, 165, 180, 210, 240, 270, 300])
        #expect(harness.engine.snapshot.pingInterval == .seconds(30))
        #expect(!harness.engine.snapshot.isPingedFaster)
    }

    @Test func aLateAnswerIsAMissAndNoAnswerInTime() {
        let harness = harness()
        #expect(pingTimes(harness, answeredAfter: 11_000, until: 70).first == 30)
        #expect(harness.takeNotes().contains("41000 acked ping 11000 late"))
        #expect(harness.engine.totals.beatsLate == harness.engine.totals.beatsMissed)
    }

    @Test func missedPayloadBeatsCountToo() throws {
        let beats = #"{"beat": [{"every": "5s", "send": {"body": "b"}, "ack": {"on": {"eq": "never"}, "within": "4s"}}]}"#
        let harness = harness(try compile(beats))
        harness.run(until: 9000)
        #expect(harness.engine.snapshot.pingInterval == .seconds(15))
        harness.run(until: 15_000)
        #expect(harness.allSent.filter { $0.opcode == .ping }.map { $0.summary.prefix(5) } == ["15000"])
    }

    @Test func anotherConnectionBeginsAsAGoodOne() {
        let harness = harness()
        harness.run(until: 40_000)
        harness.end()
        #expect(harness.engine.snapshot.pingInterval == nil)
        harness.open()
        #expect(harness.engine.snapshot.pingInterval == .seconds(30))
        #expect(pingTimes(harness, answeredAfter: 10, until: 130) == [70, 100, 130])
    }

    @Test func withoutItNothingChangesTheInterval() {
        let harness = EngineHarness(nil) { $0.ping = .init(interval: .seconds(30), timeout: .seconds(10), missedMax: 100) }
        #expect(pingTimes(harness, answeredAfter: 11_000, until: 90) == [30, 60, 90])
    }
}
