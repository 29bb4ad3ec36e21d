/// Intervals that the server tells, or that depend on what the application sends: known late, changed, switched off.
import Heartbeat
import Testing
import WebSocket

struct LearnedIntervalTests {
    private static let learn = #""learn": [{"on": {"has": ["/i"]}, "path": "/i", "var": "i"}]"#
    private static let length = #"{"var": "i", "unit": "s"}"#

    private func beat(_ members: String = "", every: String = length) throws -> EngineHarness {
        try EngineHarness(#"{\#(Self.learn), "beat": [{"every": \#(every)\#(members), "send": {"body": "beat"}}]}"#)
    }

    private func watch(_ members: String = "") throws -> EngineHarness {
        try EngineHarness(#"{\#(Self.learn), "watch": [{"on": {"eq": "hb"}, "within": \#(Self.length)\#(members)}]}"#) {
            $0.silencePolicy = .report
        }
    }

    private func learn(_ seconds: Int, _ harness: EngineHarness) {
        harness.receive(#"{"i": \#(seconds)}"#)
        harness.poll()
    }

    // MARK: Beats

    @Test func beginsWhenTheIntervalIsKnown() throws {
        let harness = try beat()
        #expect(harness.engine.deadline == nil)
        harness.stall(until: 3_000)
        learn(10, harness)
        harness.run(until: 25_000)
        #expect(harness.takeSent() == ["13000 beat", "23000 beat"])
    }

    @Test func usesTheDefaultUntilThen() throws {
        let harness = try beat(every: #"{"var": "i", "unit": "s", "default_ms": 4000}"#)
        harness.run(until: 9_000)
        #expect(harness.takeSent() == ["4000 beat", "8000 beat"])
        learn(10, harness)
        harness.run(until: 30_000)
        #expect(harness.takeSent() == ["18000 beat", "28000 beat"])
    }

    /// The next beat is due one new interval after the last.
    @Test(arguments: [(5, ["15000 beat", "20000 beat"]), (30, ["40000 beat"]), (2, ["14000 beat", "16000 beat"])])
    func followsAChangeAtOnce(seconds: Int, beats: [String]) throws {
        let harness = try beat()
        learn(10, harness)
        harness.run(until: 14_000)
        #expect(harness.takeSent() == ["10000 beat"])
        learn(seconds, harness)
        harness.run(until: 41_000)
        #expect(Array(harness.takeSent().prefix(beats.count)) == beats)
    }

    @Test func isNotPutOffForeverByAnIntervalThatKeepsChanging() throws {
        let harness = try beat()
        for second in 0..<60 as Range<Int64> {
            learn(second % 2 == 0 ? 10 : 9, harness)
            harness.run(until: (second + 1) * 1000)
        }
        #expect((5...7).contains(harness.takeSent().count))
    }

    @Test func anIdleTimerFollowsAChangeToo() throws {
        let harness = try beat(#", "when": "idle_tx""#)
        learn(10, harness)
        harness.run(until: 4_000)
        harness.applicationSends("data")
        learn(5, harness)
        harness.run(until: 14_000)
        #expect(harness.takeSent() == ["9000 beat", "14000 beat"])
    }

    @Test func zeroEndsTheBeatsUntilTheServerWantsThemAgain() throws {
        let harness = try beat()
        learn(10, harness)
        harness.run(until: 15_000)
        learn(0, harness)
        #expect(harness.engine.deadline == nil)
        harness.stall(until: 50_000)
        harness.poll()
        #expect(harness.takeSent() == ["10000 beat"])
        learn(10, harness)
        harness.run(until: 71_000)
        #expect(harness.takeSent() == ["60000 beat", "70000 beat"])
    }

    /// A peer that takes its interval back and gives it again cannot make us beat like mad.
    @Test func firstBeatsKeepTheirDistanceHoweverOftenTheyAreFirst() throws {
        let harness = try EngineHarness(
            #"""
            {"learn": [{"on": {"has": ["/hb"]}, "path": "/hb", "var": "i"}],
             "beat": [{"every": {"var": "i", "unit": "ms"}, "first": "now", "send": {"body": "beat"}}]}
            """#)
        for millisecond: Int64 in 0..<1000 {
            harness.receive(#"{"hb": 0}"#)
            harness.receive(#"{"hb": 1000000}"#)
            harness.run(until: millisecond)
        }
        #expect(harness.takeSent() == (0..<10).map { "\($0 * 100) beat" })
    }

    @Test func zeroFromTheStartIsNotForever() throws {
        let harness = try beat()
        learn(0, harness)
        harness.stall(until: 5_000)
        learn(10, harness)
        harness.run(until: 15_000)
        #expect(harness.takeSent() == ["15000 beat"])
    }

    @Test func aBeatThatHasNotStartedIsNotStartedByItsInterval() throws {
        let harness = try beat(#", "start": {"eq": "go"}"#)
        learn(10, harness)
        harness.run(until: 30_000)
        harness.receive("go")
        harness.run(until: 40_000)
        #expect(harness.takeSent() == ["40000 beat"])
    }

    @Test func aMessageMayTeachAndStart() throws {
        let harness = try beat(#", "start": {"has": ["/i"]}, "first": "now""#)
        harness.stall(until: 1_000)
        learn(10, harness)
        harness.run(until: 11_000)
        #expect(harness.takeSent() == ["1000 beat", "11000 beat"])
    }

    @Test func theNextConnectionKnowsNothing() throws {
        let harness = try beat()
        learn(10, harness)
        harness.run(until: 10_000)
        harness.end()
        harness.open()
        #expect(harness.engine.deadline == nil)
        learn(5, harness)
        harness.run(until: 15_000)
        #expect(harness.takeSent() == ["10000 beat", "15000 beat"])
    }

    @Test func parametersOutliveConnections() throws {
        let harness = try EngineHarness(
            #"{"beat": [{"every": {"var": "i", "unit": "s"}, "send": {"body": "beat"}}]}"#, parameters: ["i": "10"])
        harness.run(until: 10_000)
        harness.end()
        harness.open()
        harness.run(until: 20_000)
        #expect(harness.takeSent() == ["10000 beat", "20000 beat"])
    }

    @Test func whatTheApplicationSendsTeachesToo() throws {
        let harness = try EngineHarness(
            #"""
            {"learn": [{"dir": "out", "on": {"has": ["/i"]}, "path": "/i", "var": "i"}],
             "setup": [{"on": {"eq": "welcome"}, "send": {"body": "thanks"}}],
             "beat": [{"every": {"var": "i", "unit": "s"}, "send": {"body": "beat"}}]}
            """#)
        harness.applicationSends(#"{"i": 10}"#)
        harness.stall(until: 1_000)
        harness.receive("welcome")
        harness.run(until: 11_000)
        #expect(harness.takeSent() == ["1000 thanks", "11000 beat"])
    }

    @Test(arguments: [#""soon""#, "null", "{}", "-5", "1e999", "true", #""""#])
    func whatIsNoLengthOfTimeDoesNoHarm(value: String) throws {
        let harness = try beat()
        harness.receive(#"{"i": \#(value)}"#)
        harness.poll()
        harness.run(until: 50_000)
        #expect(harness.takeSent() == [])
    }

    // MARK: Watches

    @Test func aWatchBeginsWhenItsIntervalIsKnown() throws {
        let harness = try watch()
        harness.stall(until: 60_000)
        learn(10, harness)
        #expect(harness.takeNotes() == [])
        harness.run(until: 70_000)
        #expect(harness.takeNotes() == ["70000 silent 1 watch 0"])
    }

    @Test func aWatchFollowsAChange() throws {
        let harness = try watch()
        learn(10, harness)
        harness.run(until: 4_000)
        harness.receive("hb")
        harness.run(until: 6_000)
        learn(5, harness)
        harness.run(until: 9_000)
        #expect(harness.takeNotes().withoutHealth == ["4000 received watch 0", "9000 silent 1 watch 0"])
        learn(20, harness)
        harness.run(until: 24_000)
        #expect(harness.takeNotes().withoutHealth == [])
    }

    @Test func zeroEndsAWatchUntilTheServerWantsItAgain() throws {
        let harness = try watch()
        learn(10, harness)
        harness.run(until: 5_000)
        learn(0, harness)
        #expect(harness.engine.deadline == nil)
        harness.stall(until: 50_000)
        harness.poll()
        learn(10, harness)
        harness.run(until: 60_000)
        #expect(harness.takeNotes() == ["60000 silent 1 watch 0"])
    }
}
