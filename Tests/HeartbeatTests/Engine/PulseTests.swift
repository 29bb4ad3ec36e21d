/// What one sees of the heartbeats at a glance.
import Heartbeat
import Testing
import WebSocket

struct PulseTests {
    @Test func nothingIsKnownWithoutHeartbeats() {
        let harness = EngineHarness(nil)
        let pulse = harness.engine.pulse
        #expect(pulse.next == nil && pulse.lastBeat == nil && pulse.health == .unknown && pulse.quality == .unknown)
    }

    @Test func theNextPingIsToldAndWhenItsAnswerCame() throws {
        let harness = EngineHarness(nil) { $0.ping = .init(interval: .seconds(10), timeout: .seconds(5), missedMax: 2) }
        #expect(harness.engine.pulse.next?.due == EngineHarness.instant(10_000))
        harness.run(until: 10_000)
        #expect(harness.engine.pulse.next?.due == EngineHarness.instant(20_000))
        #expect(harness.engine.pulse.next?.interval == .seconds(10))
        #expect(harness.engine.pulse.lastBeat == nil)
        harness.run(until: 10_500)
        harness.receivePong(try #require(harness.allSent.last).payload)
        #expect(harness.engine.pulse.lastBeat == EngineHarness.instant(10_500))
        harness.end()
        #expect(harness.engine.pulse.next == nil && harness.engine.pulse.lastBeat == nil)
    }

    @Test func whicheverComesFirstIsNext() throws {
        let rules = #"{"beat": [{"every": "30s", "send": {"body": "beat"}}], "watch": [{"on": "any_rx", "within": "7s"}]}"#
        let harness = try EngineHarness(rules)
        #expect(harness.engine.pulse.next?.due == EngineHarness.instant(7_000))
        #expect(harness.engine.pulse.next?.interval == .seconds(7))
        harness.run(until: 5_000)
        harness.receivePing()
        #expect(harness.engine.pulse.lastBeat == EngineHarness.instant(5_000))
    }
}
