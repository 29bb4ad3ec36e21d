/// Beats that are to be acknowledged: which answer belongs to which beat, in time or late.
import Heartbeat
import Testing
import WebSocket

struct AckTests {
    /// Every ten seconds, to be acknowledged within five.
    static func rules(_ ack: String, body: String = "beat", every: String = "10s", within: String = "5s", more: String = "") -> String {
        #"""
        {"beat": [{"every": "\#(every)", "send": {"body": "\#(body)"}, "ack": {\#(ack), "within": "\#(within)"}\#(more)}]}
        """#
    }

    static let pong = #""on": {"eq": "pong"}"#
    private static let equal = #""on": {"has": ["/id"]}, "equal": {"/id": "counter"}"#

    @Test(
        arguments: [
            (-1, ["15000-1 acked beat 0 4999"]), (0, ["15000 acked beat 0 5000"]),
            (1, ["15000 missed 1 beat 0", "15000+1 acked beat 0 5000 late"]),
        ] as [(Int64, [String])])
    func isInTimeUpToTheVeryDeadline(offset: Int64, notes: [String]) throws {
        let harness = try EngineHarness(Self.rules(Self.pong))
        harness.run(until: 10_000)
        harness.arrive(at: 15_000, plus: offset)
        harness.receive("pong")
        harness.poll()
        harness.run(until: 15_000, plus: 2)
        #expect(harness.takeNotes().withoutHealth == notes)
    }

    @Test(arguments: [
        ("counter", "1"), ("counter", #""1""#), ("counter", "1.0"), ("uuid", #""uuid-1""#), ("rand", #""r1""#),
        ("unix_ms", "1700000010000"), ("unix_ms", #""1700000010000""#),
    ])
    func repeatsWhatTheBeatCarried(name: String, value: String) throws {
        let harness = try EngineHarness(Self.rules(#""on": {"has": ["/id"]}, "equal": {"/id": "\#(name)"}"#, body: "${\(name)}"))
        harness.run(until: 10_000)
        for other in ["2", #""x""#, "null", "[1]", #"{"a": 1}"#, "true", #""""#] { harness.receive(#"{"id": \#(other)}"#) }
        #expect(harness.takeNotes() == [])
        harness.receive(#"{"id": \#(value)}"#)
        let isByText = value != "1.0"
        #expect(harness.takeNotes().withoutHealth == (isByText ? ["10000 acked beat 0 0"] : []))
    }

    @Test(arguments: [("0", false), ("1", true), ("2", true), ("1.5", true), ("9e99", true), (#""5""#, false), ("null", false)])
    func isNotLessThanWhatTheBeatCarried(value: String, isAck: Bool) throws {
        let harness = try EngineHarness(Self.rules(#""on": {"has": ["/seq"]}, "at_least": {"/seq": "counter"}"#, body: "${counter}"))
        harness.run(until: 10_000)
        harness.receive(#"{"seq": \#(value)}"#)
        #expect(harness.takeNotes().withoutHealth == (isAck ? ["10000 acked beat 0 0"] : []))
    }

    @Test func aNumberThatIsNotLessStandsForAllBeatsBeforeIt() throws {
        let ack = #""on": {"has": ["/seq"]}, "at_least": {"/seq": "counter"}"#
        let harness = try EngineHarness(Self.rules(ack, body: "${counter}", within: "25s"))
        harness.run(until: 30_000)
        harness.receive(#"{"seq": 2}"#)
        harness.run(until: 54_999)
        #expect(harness.takeNotes().withoutHealth == ["30000 acked beat 0 10000"])
        harness.run(until: 55_000)
        #expect(harness.takeNotes().withoutHealth == ["55000 missed 1 beat 0"])
    }

    @Test func anyMessageIsAnAckIfTheRuleSaysSo() throws {
        let harness = try EngineHarness(Self.rules(#""on": "any_rx""#))
        harness.run(until: 10_000)
        harness.receivePing([1])
        harness.receivePong([1])
        harness.receiveBytes()
        #expect(harness.takeNotes().filter { $0.contains("acked") } == [])
        harness.receive([0xFF], .binary)
        harness.receive("more")
        #expect(harness.takeNotes().withoutHealth == ["10000 acked beat 0 0"])
    }

    @Test func aPartOfAMessageIsAnyMessage() throws {
        let harness = try EngineHarness(Self.rules(#""on": "any_rx""#))
        harness.run(until: 10_000)
        harness.receivePart()
        #expect(harness.takeNotes().withoutHealth == ["10000 acked beat 0 0"])
    }

    @Test func anyMessageMayBeALateAck() throws {
        let harness = try EngineHarness(Self.rules(#""on": "any_rx""#))
        harness.run(until: 16_000)
        harness.receive("data")
        #expect(harness.takeNotes().withoutHealth == ["15000 missed 1 beat 0", "16000 acked beat 0 6000 late"])
        harness.receive("data")
        #expect(harness.takeNotes() == [])
    }

    @Test func aPongIsAnAckIfItRepeatsThePing() throws {
        let harness = try EngineHarness(
            #"{"beat": [{"every": "10s", "send": {"op": "ping", "body": "p${counter}"}, "ack": {"on": "pong_frame", "within": "5s"}}]}"#)
        harness.run(until: 10_000)
        harness.receivePong([])
        harness.receivePong([UInt8]("p2".utf8))
        #expect(harness.takeNotes() == [])
        harness.receivePong([UInt8]("p1".utf8))
        harness.receivePong([UInt8]("p1".utf8))
        #expect(harness.takeNotes().withoutHealth == ["10000 acked beat 0 0"])
    }

    @Test func pongsOfPingsThatWentOutMeanwhileCountToo() throws {
        let harness = try EngineHarness(
            #"{"beat": [{"every": "1s", "send": {"op": "ping", "body": "p${counter}"}, "ack": {"on": "pong_frame", "within": "5s"}}]}"#)
        harness.run(until: 2_000)
        harness.receivePong([UInt8]("p1".utf8))
        harness.run(until: 3_000)
        harness.receivePong([UInt8]("p3".utf8))
        harness.receivePong([UInt8]("p2".utf8))
        harness.run(until: 7_999)
        #expect(harness.takeNotes().withoutHealth == ["2000 acked beat 0 1000", "3000 acked beat 0 0"])
    }

    @Test func eachOfSeveralBeatsHasItsOwnAck() throws {
        let harness = try EngineHarness(Self.rules(Self.equal, body: #"${counter}"#, within: "25s"))
        harness.run(until: 33_000)
        harness.receive(#"{"id": 3}"#)
        harness.receive(#"{"id": 1}"#)
        harness.receive(#"{"id": 1}"#)
        harness.receive(#"{"id": 4}"#)
        #expect(harness.takeNotes().withoutHealth == ["33000 acked beat 0 3000", "33000 acked beat 0 23000"])
        harness.run(until: 45_000)
        #expect(harness.takeNotes().withoutHealth == ["45000 missed 1 beat 0"])
        harness.receive(#"{"id": 2}"#)
        #expect(harness.takeNotes().withoutHealth == ["45000 acked beat 0 25000 late"])
    }

    @Test func anAckThatNamesNoBeatStandsForAllBeforeIt() throws {
        let harness = try EngineHarness(Self.rules(Self.pong, within: "25s"))
        harness.run(until: 33_000)
        harness.receive("pong")
        harness.run(until: 64_999)
        #expect(harness.takeNotes().withoutHealth == ["33000 acked beat 0 3000"])
        harness.run(until: 65_000)
        #expect(harness.takeNotes().withoutHealth == ["65000 missed 1 beat 0"])
    }

    @Test func aTimeLongerThanManyIntervalsRunsOutAllTheSame() throws {
        let harness = try EngineHarness(Self.rules(Self.equal, body: "${counter}", every: "1s", within: "60s"))
        harness.run(until: 61_000)
        #expect(harness.takeNotes().withoutHealth == ["61000 missed 1 beat 0"])
        harness.run(until: 62_000)
        #expect(harness.takeNotes().withoutHealth == ["62000 missed 2 beat 0"])
    }

    @Test func acksOfAnEarlierConnectionDoNothing() throws {
        let harness = try EngineHarness(Self.rules(Self.equal, body: "${counter}"))
        harness.run(until: 12_000)
        harness.end()
        harness.open()
        harness.receive(#"{"id": 1}"#)
        harness.run(until: 20_000)
        #expect(harness.takeNotes() == [])
        #expect(harness.engine.totals.beatsMissed == 0)
        #expect(harness.takeSent() == ["10000 1"])
    }

    @Test func anAckForNothingIsNoHeartbeat() throws {
        let harness = try EngineHarness(Self.rules(Self.pong)) { $0.consumesHeartbeats = true }
        #expect(!harness.receive("pong"))
        harness.run(until: 10_000)
        #expect(harness.receive("pong"))
        #expect(!harness.receive("pong"))
    }

    // MARK: Before the next beat

    @Test func theBeatThatFindsTheLastUnansweredIsNotSent() throws {
        let harness = try EngineHarness(Self.rules(Self.pong, within: "next_beat"))
        harness.run(until: 40_000)
        #expect(harness.takeSent() == ["10000 beat", "30000 beat"])
        #expect(harness.takeNotes().withoutHealth == ["20000 missed 1 beat 0", "40000 missed 2 beat 0"])
    }

    @Test(arguments: [-1, 0, 1] as [Int64])
    func anAckAtTheNextBeatIsInTime(offset: Int64) throws {
        let harness = try EngineHarness(Self.rules(Self.pong, within: "next_beat"))
        harness.run(until: 10_000)
        harness.arrive(at: 20_000, plus: offset)
        harness.receive("pong")
        harness.run(until: 20_000, plus: 1)
        #expect(harness.takeSent() == ["10000 beat"] + (offset <= 0 ? ["20000 beat"] : []))
        let acks = ["20000-1 acked beat 0 9999", "20000 acked beat 0 10000", "20000+1 acked beat 0 10000 late"]
        #expect(harness.takeNotes().withoutHealth.last == acks[Int(offset) + 1])
    }

    // MARK: While nobody reads

    @Test func whatNobodyReadsIsNotMissed() throws {
        let harness = try EngineHarness(Self.rules(Self.pong))
        harness.run(until: 12_000)
        harness.engine.readingPaused(harness.now)
        harness.run(until: 44_000)
        #expect(harness.takeSent() == ["10000 beat", "20000 beat", "30000 beat", "40000 beat"])
        harness.engine.readingResumed(harness.now)
        harness.run(until: 48_999)
        #expect(harness.takeNotes() == [])
        harness.receive("pong")
        harness.run(until: 50_000)
        #expect(harness.takeNotes().withoutHealth == ["48999 acked beat 0 8999"])
    }

    @Test func readingOnGivesTheFullTimeBeforeTheNextBeatToo() throws {
        let harness = try EngineHarness(Self.rules(Self.pong, within: "next_beat"))
        harness.run(until: 12_000)
        harness.engine.readingPaused(harness.now)
        harness.run(until: 29_999)
        harness.engine.readingResumed(harness.now)
        harness.run(until: 39_999)
        #expect(harness.takeNotes() == [])
        #expect(harness.takeSent() == ["10000 beat", "20000 beat", "30000 beat"])
        harness.run(until: 60_000)
        #expect(harness.takeNotes().withoutHealth == ["40000 missed 1 beat 0", "60000 missed 2 beat 0"])
        #expect(harness.takeSent() == ["50000 beat"])
    }

    @Test func readingThatWasNotPausedIsNotResumed() throws {
        let harness = try EngineHarness(Self.rules(Self.pong))
        harness.run(until: 14_000)
        harness.engine.readingResumed(harness.now)
        harness.run(until: 15_000)
        #expect(harness.takeNotes().withoutHealth == ["15000 missed 1 beat 0"])
    }
}
