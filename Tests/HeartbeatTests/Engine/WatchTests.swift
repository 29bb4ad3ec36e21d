/// What is expected from the server, and what its absence leads to.
import Heartbeat
import Testing
import WebSocket

struct WatchTests {
    /// Expects "hb" every ten seconds.
    static func rules(_ members: String = "", on: String = #"{"eq": "hb"}"#, more: String = "") -> String {
        #"{\#(more)"watch": [{"on": \#(on), "within": "10s"\#(members)}]}"#
    }

    private func reporting(_ rules: String = rules()) throws -> EngineHarness {
        try EngineHarness(rules) { $0.silencePolicy = .report }
    }

    // MARK: Starts

    @Test func beginsWithTheConnection() throws {
        let harness = try reporting()
        harness.run(until: 35_000)
        #expect(harness.takeNotes() == ["10000 silent 1 watch 0", "20000 silent 2 watch 0", "30000 silent 3 watch 0"])
        #expect(harness.takeSent() == [])
        #expect(harness.verdicts == [])
    }

    @Test func beginsWithTheFirstThatItSees() throws {
        let harness = try reporting(Self.rules(#", "start": "first""#))
        harness.run(until: 50_000)
        harness.receive("data")
        harness.receive("hb")
        harness.run(until: 60_000)
        #expect(harness.takeNotes().withoutHealth == ["50000 received watch 0", "60000 silent 1 watch 0"])
    }

    @Test func beginsWithAMessageAndAnewWithEachSuch() throws {
        let harness = try reporting(Self.rules(#", "start": {"eq": "go"}"#))
        harness.receive("hb")
        harness.run(until: 50_000)
        harness.receive("go")
        harness.run(until: 59_000)
        harness.receive("go")
        harness.run(until: 69_000)
        #expect(harness.takeNotes() == ["69000 silent 1 watch 0"])
    }

    @Test func isHealthyUntilItsNewTimeIsOver() throws {
        let harness = try reporting(Self.rules(#", "start": {"eq": "go"}"#))
        harness.receive("go")
        harness.receive("hb")
        harness.run(until: 9_000)
        harness.receive("go")
        harness.run(until: 18_999)
        #expect(harness.takeNotes() == ["0 health unknown to healthy", "0 received watch 0"])
        harness.run(until: 19_000)
        #expect(harness.takeNotes() == ["19000 silent 1 watch 0", "19000 health healthy to warning"])
    }

    // MARK: Silence

    @Test(arguments: [-1, 0, 1] as [Int64])
    func whatComesAtTheVeryEndIsInTime(offset: Int64) throws {
        let harness = try reporting()
        harness.arrive(at: 10_000, plus: offset)
        harness.receive("hb")
        harness.run(until: 10_000, plus: 1)
        #expect(harness.takeNotes().contains("10000 silent 1 watch 0") == (offset > 0))
        harness.run(until: 20_000, plus: offset - 1)
        #expect(harness.takeNotes().withoutHealth == [])
        harness.run(until: 20_000, plus: offset)
        #expect(harness.takeNotes().withoutHealth.count == 1)
    }

    @Test func tellsOfAStallOnce() throws {
        let harness = try reporting()
        harness.stall(until: 35_000)
        harness.poll()
        #expect(harness.takeNotes() == ["35000 silent 3 watch 0"])
        harness.run(until: 40_000)
        #expect(harness.takeNotes() == ["40000 silent 4 watch 0"])
    }

    @Test func anyMessageWillDoIfTheRuleSaysSo() throws {
        let harness = try reporting(Self.rules(on: #""any_rx""#))
        for second in [9, 18, 27, 36, 45] as [Int64] {
            harness.run(until: second * 1000)
            harness.receive([0xFF], .binary)
        }
        harness.run(until: 50_000)
        harness.receiveBytes()
        harness.receivePing([1])
        harness.receivePong([1])
        harness.run(until: 54_000)
        harness.receivePart()
        harness.run(until: 63_999)
        #expect(harness.takeNotes().filter { $0.contains("silent") } == [])
        harness.run(until: 64_000)
        #expect(harness.takeNotes().withoutHealth == ["64000 silent 1 watch 0"])
        #expect(harness.engine.snapshot.health == .warning)
        for _ in 0..<2 { harness.receivePart() }
        #expect(harness.engine.snapshot.health == .healthy)
        harness.run(until: 74_000)
        #expect(harness.takeNotes().withoutHealth == ["74000 silent 1 watch 0"])
    }

    @Test(arguments: ["ping_frame", "pong_frame"])
    func waitsForControlFrames(event: String) throws {
        let harness = try reporting(Self.rules(on: #""\#(event)""#))
        harness.run(until: 9_000)
        harness.receive("data")
        if event == "ping_frame" { harness.receivePing([1]) } else { harness.receivePong([1]) }
        harness.run(until: 12_000)
        if event == "ping_frame" { harness.receivePong([1]) } else { harness.receivePing([1]) }
        harness.run(until: 18_999)
        #expect(harness.takeNotes().filter { $0.contains("silent") } == [])
        harness.run(until: 19_000)
        #expect(harness.takeNotes().filter { $0.contains("silent") } == ["19000 silent 1 watch 0"])
    }

    @Test func eachWatchHasItsOwnSilence() throws {
        let harness = try reporting(
            #"{"watch": [{"on": {"eq": "a"}, "within": "10s"}, {"on": {"eq": "b"}, "within": "15s"}]}"#)
        harness.run(until: 5_000)
        harness.receive("a")
        harness.run(until: 15_000)
        #expect(harness.takeNotes().withoutHealth == ["5000 received watch 0", "15000 silent 1 watch 0", "15000 silent 1 watch 1"])
    }

    // MARK: Health

    @Test func healthFallsAtOnceAndRisesSlowly() throws {
        let harness = try reporting()
        #expect(harness.engine.snapshot.health == .unknown)
        harness.run(until: 5_000)
        harness.receive("hb")
        #expect(harness.engine.snapshot.health == .healthy)
        harness.run(until: 25_000)
        harness.receive("hb")
        harness.run(until: 30_000)
        harness.receive("hb")
        harness.receive("hb")
        #expect(
            harness.takeNotes().filter { $0.contains("health") } == [
                "5000 health unknown to healthy", "15000 health healthy to warning", "25000 health warning to error",
                "25000 health error to warning", "30000 health warning to healthy",
            ])
    }

    @Test func theWorstSignalIsTheHealthOfTheConnection() throws {
        let harness = try reporting(
            #"{"watch": [{"on": {"eq": "a"}, "within": "10s"}, {"on": {"eq": "b"}, "within": "20s"}]}"#)
        harness.receive("a")
        harness.receive("b")
        harness.run(until: 10_000)
        #expect(harness.engine.snapshot.health == .warning)
        harness.receive("a")
        harness.receive("a")
        harness.receive("a")
        #expect(harness.engine.snapshot.health == .healthy)
        harness.end()
        #expect(harness.engine.snapshot.health == .unknown)
        harness.open()
        #expect(harness.engine.snapshot.health == .unknown)
    }

    @Test func unknownStaysWhatWasNeverSeen() throws {
        let harness = try reporting()
        harness.run(until: 100_000)
        #expect(harness.engine.snapshot.health == .unknown)
    }

    // MARK: While nobody reads

    @Test func nothingIsSilentWhileNobodyReads() throws {
        let harness = try reporting()
        harness.receive("hb")
        harness.run(until: 9_000)
        harness.engine.readingPaused(harness.now)
        harness.run(until: 60_000)
        harness.engine.readingResumed(harness.now)
        harness.run(until: 69_999)
        #expect(harness.takeNotes().withoutHealth == ["0 received watch 0"])
        #expect(harness.engine.snapshot.health == .healthy)
        harness.run(until: 70_000)
        #expect(harness.takeNotes() == ["70000 silent 1 watch 0", "70000 health healthy to warning"])
    }

    @Test func theNextConnectionReadsAgain() throws {
        let harness = try reporting()
        harness.engine.readingPaused(harness.now)
        harness.end()
        harness.open()
        harness.run(until: 10_000)
        #expect(harness.takeNotes() == ["10000 silent 1 watch 0"])
    }

    @Test func silenceOfOneConnectionIsNotThatOfTheNext() throws {
        let harness = try reporting(Self.rules(#", "start": "first""#))
        harness.receive("hb")
        harness.run(until: 9_000)
        harness.end()
        harness.open()
        harness.run(until: 60_000)
        #expect(harness.takeNotes().withoutHealth == ["0 received watch 0"])
    }
}
