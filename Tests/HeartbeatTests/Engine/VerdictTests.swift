/// When missed beats and failed answers end a connection, and what keeps them from it.
import Heartbeat
import Testing
import WebSocket

struct VerdictTests {
    private static let ack = #""on": {"eq": "pong"}"#

    /// Beats at 10, 20, 30 s... that are missed at 15, 25, 35 s.
    private func harness(
        more: String = "", liveness: HeartbeatConfiguration.Liveness = .anyReceived, _ change: (HeartbeatConfiguration) -> Void = { _ in }
    ) throws -> EngineHarness {
        try EngineHarness(AckTests.rules(Self.ack, more: more)) {
            $0.liveness = liveness
            change($0)
        }
    }

    @Test func fallsWithTheThirdMissInARowAndOnce() throws {
        let harness = try harness()
        harness.run(until: 34_999)
        #expect(harness.verdicts == [])
        harness.run(until: 35_000)
        #expect(harness.verdicts == [.failures(3)])
        harness.stall(until: 90_000)
        harness.poll()
        harness.receive("pong")
        #expect(harness.verdicts == [.failures(3)])
    }

    @Test func anAckBeginsTheCountAnew() throws {
        let harness = try harness(liveness: .pong)
        harness.run(until: 31_000)
        harness.receive("pong")
        #expect(harness.engine.snapshot.failuresInARow == 0)
        harness.run(until: 64_999)
        #expect(harness.verdicts == [])
        harness.run(until: 65_000)
        #expect(harness.verdicts == [.failures(3)])
    }

    @Test func aLateAckDoesNot() throws {
        let harness = try harness(liveness: .data)
        harness.run(until: 26_000)
        harness.receive("pong")
        #expect(harness.takeNotes().withoutHealth.last == "26000 acked beat 0 6000 late")
        harness.run(until: 35_000)
        #expect(harness.takeNotes().withoutHealth == ["35000 missed 3 beat 0"])
        #expect(harness.verdicts == [.failures(3)])
    }

    /// What arrived after the third beat was sent shows that the peer is there, if any byte counts for that.
    @Test(arguments: [HeartbeatConfiguration.Liveness.anyReceived, .pong, .data], [29_999, 30_000, 30_001, 35_000] as [Int64])
    func receivedBytesDeferIt(liveness: HeartbeatConfiguration.Liveness, at: Int64) throws {
        let harness = try harness(liveness: liveness)
        harness.arrive(at: at)
        harness.receiveBytes()
        harness.run(until: 35_000)
        let isDeferred = liveness == .anyReceived && at > 30_000
        #expect(harness.verdicts == (isDeferred ? [] : [.failures(3)]))
        harness.run(until: 45_000)
        #expect(harness.verdicts.count == 1)
    }

    @Test func acksOfOthersDoNotHideABeatThatIsNeverAcknowledged() throws {
        let harness = try EngineHarness(
            #"""
            {"reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}],
             "beat": [{"every": "10s", "send": {"body": "a"}, "ack": {"on": {"eq": "A"}, "within": "5s"}},
                      {"every": "3s", "send": {"body": "b"}, "ack": {"on": {"eq": "B"}, "within": "3s"}}]}
            """#
        ) {
            $0.liveness = .data
            $0.ping = .init(interval: .seconds(4), timeout: .seconds(4), missedMax: 3)
        }
        while harness.verdicts.isEmpty && harness.now < EngineHarness.instant(60_000) {
            harness.arrive(at: harness.now.nanoseconds / 1_000_000 + 500)
            harness.poll()
            harness.receive("B")
            harness.receive("ask")
            if let ping = harness.allSent.last(where: { $0.purpose == .ping }) { harness.receivePong(ping.payload) }
        }
        #expect(harness.verdicts == [.failures(3)])
        #expect(harness.now == EngineHarness.instant(35_000))
    }

    /// A detector that always fails is found out however well answers and pings go meanwhile.
    @Test func whatGoesWellElsewhereHidesNoFailure() throws {
        let harness = try EngineHarness(#"{"reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}]}"#) {
            $0.ping = .init(interval: .seconds(1), timeout: .seconds(1), missedMax: 5)
        }
        for second: Int64 in 1...3 {
            #expect(harness.verdicts == [])
            harness.run(until: second * 1000)
            harness.receivePong(try #require(harness.allSent.last).payload)
            harness.receive("ask")
            harness.engine.detected(.failed, harness.now)
            harness.poll()
        }
        #expect(harness.verdicts == [.failures(3)])
    }

    @Test func onMissCloseAsksForNoSecondMissAndHeedsNoBytes() throws {
        let harness = try harness(more: #", "on_miss": "close""#)
        harness.run(until: 14_000)
        harness.receive("data")
        harness.run(until: 15_000)
        #expect(harness.verdicts == [.beatMissed(0)])
    }

    @Test func reportingNeverEndsTheConnection() throws {
        for more in ["", #", "on_miss": "close""#] {
            let harness = try harness(more: more) {
                $0.failureThreshold = nil
                $0.ping = .init(interval: .seconds(5), timeout: .seconds(5), missedMax: 1)
            }
            harness.run(until: 300_000)
            #expect(harness.verdicts == [])
            #expect(harness.engine.totals.beatsMissed >= 29 + 58)
            #expect(harness.takeSent().filter { $0.hasSuffix("beat") }.count == 30)
        }
    }

    @Test func silentPingsEndIt() throws {
        let harness = EngineHarness(nil) { $0.ping = .init(interval: .seconds(10), timeout: .seconds(10), missedMax: 2) }
        harness.run(until: 29_999)
        #expect(harness.verdicts == [])
        harness.run(until: 30_000)
        #expect(harness.verdicts == [.pingsMissed(2)])
        #expect(harness.allSent.count == 2)
    }

    @Test func nothingIsSentWithAVerdict() throws {
        let harness = try EngineHarness(
            #"""
            {"beat": [{"every": "10s", "send": {"body": "a"}, "ack": {"on": {"eq": "A"}, "within": "10s"}, "on_miss": "close"},
                      {"every": "20s", "send": {"body": "b"}}]}
            """#
        ) { $0.ping = .init(interval: .seconds(20), timeout: .seconds(20), missedMax: 1) }
        harness.run(until: 20_000)
        #expect(harness.verdicts == [.beatMissed(0)])
        #expect(harness.takeSent() == ["10000 a"])
    }

    @Test func failuresOfOneConnectionAreNotThoseOfTheNext() throws {
        let harness = try harness()
        harness.run(until: 26_000)
        #expect(harness.engine.snapshot.failuresInARow == 2)
        harness.end()
        harness.open()
        #expect(harness.engine.snapshot.failuresInARow == 0)
        harness.run(until: 26_000 + 34_999)
        #expect(harness.verdicts == [])
        #expect(harness.takeNotes().withoutHealth.last == "51000 missed 2 beat 0")
        harness.run(until: 26_000 + 35_000)
        #expect(harness.verdicts == [.failures(3)])
    }

    @Test func whatCannotBeSentIsAFailureOnlyWhileTheConnectionLasts() throws {
        let harness = try harness()
        let answer = OutgoingHeartbeat(.answer(reply: 0, received: harness.now), .text, [1])
        harness.engine.couldNotSend(answer, harness.now)
        #expect(harness.engine.snapshot.failuresInARow == 1)
        harness.end()
        harness.engine.couldNotSend(answer, harness.now)
        #expect(harness.engine.totals.failed == 1)
        #expect(harness.engine.snapshot.failuresInARow == 0)
        let hasOutput = harness.engine.hasOutput
        #expect(!hasOutput)
    }
}
