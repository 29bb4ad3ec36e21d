/// When beats are sent: rhythms, idleness, stalls, learned intervals.
import Heartbeat
import Testing
import WebSocket

struct BeatTimingTests {
    private func beat(_ members: String = "", every: String = #""10s""#) -> String {
        #"{"beat": [{"every": \#(every)\#(members), "send": {"body": "beat"}}]}"#
    }

    // MARK: The first

    @Test(arguments: ["always", "idle_tx", "idle_rx", "idle_any"])
    func comesFirstAfterOneInterval(when: String) throws {
        let harness = try EngineHarness(beat(#", "when": "\#(when)""#))
        harness.run(until: 10_000, plus: -1)
        #expect(harness.takeSent() == [])
        harness.run(until: 10_000)
        #expect(harness.takeSent() == ["10000 beat"])
    }

    @Test(arguments: ["always", "idle_tx", "idle_rx", "idle_any"])
    func comesFirstAtOnceIfAskedFor(when: String) throws {
        let harness = try EngineHarness(beat(#", "first": "now", "when": "\#(when)""#))
        harness.run(until: 25_000)
        #expect(harness.takeSent() == ["0 beat", "10000 beat", "20000 beat"])
    }

    @Test(arguments: ["always", "idle_tx", "idle_rx", "idle_any"])
    func comesFirstAfterAPartOfTheInterval(when: String) throws {
        let harness = try EngineHarness(beat(#", "first": "jitter", "when": "\#(when)""#), isOpen: false)
        harness.environment.chance = 0.25
        harness.open()
        harness.run(until: 25_000)
        #expect(harness.takeSent() == ["2500 beat", "12500 beat", "22500 beat"])
    }

    @Test func jittersAnewOnEachConnection() throws {
        let harness = try EngineHarness(beat(#", "first": "jitter""#), isOpen: false)
        harness.environment.chance = 0
        harness.open()
        harness.run(until: 1_000)
        harness.end()
        harness.environment.chance = 0.999
        harness.open()
        harness.run(until: 11_000)
        #expect(harness.takeSent() == ["0 beat", "10990 beat"])
    }

    // MARK: Idleness

    @Test(arguments: [("idle_tx", true, false), ("idle_rx", false, true), ("idle_any", true, true), ("always", false, false)])
    func waitsAsLongAsThereIsTraffic(when: String, byWhatIsSent: Bool, byWhatIsReceived: Bool) throws {
        for offset in [-1, 0, 1] as [Int64] {
            let sending = try EngineHarness(beat(#", "when": "\#(when)""#))
            sending.arrive(at: 10_000, plus: offset)
            sending.applicationSends("data")
            sending.poll()
            sending.run(until: 20_000, plus: offset)
            #expect(sending.takeSent() == expected(offset, isPutOff: byWhatIsSent, harness: sending), "sent \(offset)")
            let receiving = try EngineHarness(beat(#", "when": "\#(when)""#))
            receiving.arrive(at: 10_000, plus: offset)
            receiving.receive("data")
            receiving.poll()
            receiving.run(until: 20_000, plus: offset)
            #expect(receiving.takeSent() == expected(offset, isPutOff: byWhatIsReceived, harness: receiving), "received \(offset)")
        }
    }

    /// Traffic at 10 s and `offset`; looked at one interval later. What comes at the very instant at which a beat is due puts it off.
    private func expected(_ offset: Int64, isPutOff: Bool, harness: EngineHarness) -> [String] {
        if isPutOff && offset <= 0 { return ["\(EngineHarness.text(EngineHarness.instant(20_000, plus: offset))) beat"] }
        // A beat is a message too, so after it the next counts from whatever was last.
        if isPutOff { return ["10000 beat", "20000+1 beat"] }
        return offset < 0 ? ["10000 beat"] : ["10000 beat", "20000 beat"]
    }

    @Test func countsItsOwnBeatsAndAnswersAsSent() throws {
        let harness = try EngineHarness(
            #"""
            {"reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}],
             "beat": [{"every": "10s", "when": "idle_tx", "send": {"body": "a"}}, {"every": "7s", "send": {"op": "ping", "body": "p"}}]}
            """#)
        harness.run(until: 4_000)
        harness.receive("ask")
        harness.run(until: 20_000)
        #expect(harness.takeSent() == ["4000 answer", "7000 ping p", "14000 a", "14000 ping p"])
    }

    @Test func isNotPutOffByControlFrames() throws {
        let harness = try EngineHarness(beat(#", "when": "idle_any""#))
        for second in 1...9 as ClosedRange<Int64> {
            harness.run(until: second * 1000)
            harness.receivePing([1])
            harness.receivePong([2])
        }
        harness.run(until: 10_000)
        #expect(harness.takeSent() == ["10000 beat"])
    }

    @Test func isPutOffByAMessageInParts() throws {
        let harness = try EngineHarness(beat(#", "when": "idle_rx""#))
        harness.run(until: 9_000)
        harness.receivePart()
        harness.run(until: 19_000)
        #expect(harness.takeSent() == ["19000 beat"])
    }

    // MARK: Stalls

    @Test func sendsOnceAfterAStallOfManyIntervalsAndKeepsItsPhase() throws {
        let harness = try EngineHarness(beat())
        harness.run(until: 10_000)
        harness.stall(until: 73_456)
        harness.poll()
        #expect(harness.takeSent() == ["10000 beat", "73456 beat"])
        harness.run(until: 95_000)
        #expect(harness.takeSent() == ["80000 beat", "90000 beat"])
    }

    @Test func countsIdlenessFromTheBeatThatCameLate() throws {
        let harness = try EngineHarness(beat(#", "when": "idle_any""#))
        harness.stall(until: 73_456)
        harness.poll()
        harness.run(until: 95_000)
        #expect(harness.takeSent() == ["73456 beat", "83456 beat", "93456 beat"])
    }

    @Test func skipsWholePeriodsAtTheirVeryEdge() throws {
        for (late, next) in [(-1, "50000 beat"), (0, "60000 beat"), (1, "60000 beat")] as [(Int64, String)] {
            let harness = try EngineHarness(beat())
            harness.stall(until: 50_000, plus: late)
            harness.poll()
            #expect(harness.takeSent().count == 1)
            harness.run(until: 60_000)
            #expect(harness.takeSent().first == next)
        }
    }

    // MARK: Starts

    @Test func aRepeatedStartBeginsTheRhythmAnew() throws {
        let harness = try EngineHarness(beat(#", "start": {"eq": "go"}"#))
        harness.run(until: 30_000)
        #expect(harness.takeSent() == [])
        harness.receive("go")
        harness.run(until: 45_000)
        harness.receive("go")
        harness.run(until: 65_000)
        #expect(harness.takeSent() == ["40000 beat", "55000 beat", "65000 beat"])
    }

    @Test func aStartOfTheSameMomentComesBeforeTheTick() throws {
        let harness = try EngineHarness(beat(#", "start": {"eq": "go"}"#))
        harness.receive("go")
        harness.arrive(at: 10_000)
        harness.receive("go")
        harness.run(until: 20_000)
        #expect(harness.takeSent() == ["20000 beat"])
    }

    @Test(arguments: ["idle_tx", "idle_rx", "idle_any"])
    func anIdleTimerThatStartsAtOnceBeatsAtOnce(when: String) throws {
        let harness = try EngineHarness(beat(#", "first": "now", "when": "\#(when)", "start": {"eq": "go"}"#))
        harness.run(until: 5_000)
        harness.receive("go")
        harness.run(until: 15_000)
        #expect(harness.takeSent() == ["5000 beat", "15000 beat"])
    }

    // MARK: The end

    @Test func beatsNeverAfterTheEnd() throws {
        for offset in [-1, 0] as [Int64] {
            let harness = try EngineHarness(beat())
            harness.arrive(at: 10_000, plus: offset)
            harness.end()
            #expect(harness.engine.deadline == nil)
            harness.stall(until: 60_000)
            harness.poll()
            #expect(harness.takeSent() == [])
        }
    }

    @Test func severalBeatsAtOneInstantAreSentInTheOrderOfTheirRules() throws {
        let harness = try EngineHarness(
            #"{"beat": [{"every": "10s", "send": {"body": "a"}}, {"every": "5s", "send": {"body": "b"}}]}"#)
        harness.run(until: 10_000)
        #expect(harness.takeSent() == ["5000 b", "10000 a", "10000 b"])
    }

    @Test func aBeatThatLacksItsValueIsNotSent() throws {
        let harness = try EngineHarness(
            #"""
            {"learn": [{"on": {"has": ["/s"]}, "path": "/s", "var": "s"}],
             "beat": [{"every": "10s", "send": {"body": "${last.s}"}}]}
            """#)
        harness.run(until: 10_000)
        harness.receive(#"{"s": 7}"#)
        harness.run(until: 20_000)
        #expect(harness.takeSent() == ["20000 7"])
        #expect(harness.takeNotes() == ["10000 failed couldNotMake 1 beat 0"])
    }
}
