/// What follows when a watch expires: a question to the peer, and the end if nothing shows that it is there.
import Heartbeat
import Testing
import WebSocket

struct SilenceTests {
    private func harness(
        _ members: String = "", more: String = "", policy: HeartbeatConfiguration.SilencePolicy = .probe,
        liveness: HeartbeatConfiguration.Liveness = .anyReceived, probeTimeout: Interval = .seconds(3)
    ) throws -> EngineHarness {
        try EngineHarness(WatchTests.rules(members, more: more)) {
            $0.silencePolicy = policy
            $0.liveness = liveness
            $0.probeTimeout = probeTimeout
        }
    }

    // MARK: Probes

    @Test func asksAPeerThatIsSilentAndGivesItUpIfItDoesNotAnswer() throws {
        let harness = try harness()
        harness.run(until: 12_999)
        #expect(harness.takeSent() == ["10000 ping "])
        #expect(harness.verdicts == [])
        harness.run(until: 13_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
        #expect(harness.engine.deadline == nil)
    }

    @Test func aProbeHasNoMoreTimeThanTheWatch() throws {
        let harness = try harness(probeTimeout: .seconds(60))
        harness.run(until: 19_999)
        #expect(harness.verdicts == [])
        harness.run(until: 20_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
        #expect(harness.takeSent() == ["10000 ping "])
    }

    @Test(arguments: [-1, 0, 1] as [Int64])
    func anAnswerAtTheVeryEndIsInTime(offset: Int64) throws {
        let harness = try harness()
        harness.arrive(at: 13_000, plus: offset)
        harness.receiveBytes()
        harness.run(until: 19_999)
        #expect(harness.verdicts.isEmpty == (offset <= 0))
    }

    @Test func asksAgainAfterEachIntervalOfSilence() throws {
        let harness = try harness()
        for second in [11, 21, 31] as [Int64] {
            harness.run(until: second * 1000)
            harness.receiveBytes()
        }
        #expect(harness.takeSent() == ["10000 ping ", "20000 ping ", "30000 ping "])
        #expect(harness.verdicts == [])
        harness.run(until: 43_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
    }

    @Test func whatIsExpectedEndsTheQuestion() throws {
        let harness = try harness(liveness: .pong)
        harness.run(until: 12_000)
        harness.receive("hb")
        harness.run(until: 21_999)
        #expect(harness.verdicts == [])
        #expect(harness.takeSent() == ["10000 ping "])
    }

    /// Bytes, the pong of the probe, a pong of nothing, what the watch expects.
    @Test(arguments: [
        (HeartbeatConfiguration.Liveness.anyReceived, "bytes", true), (.anyReceived, "pong", true), (.anyReceived, "hb", true),
        (.pong, "bytes", false), (.pong, "pong", true), (.pong, "stray pong", false), (.pong, "hb", true),
        (.data, "bytes", false), (.data, "pong", false), (.data, "hb", true),
    ])
    func onlyWhatCountsForLifeAnswersAProbe(liveness: HeartbeatConfiguration.Liveness, answer: String, isAlive: Bool) throws {
        let harness = try harness(liveness: liveness)
        harness.run(until: 11_000)
        switch answer {
        case "bytes": harness.receiveBytes()
        case "pong": harness.receivePong([])
        case "stray pong": harness.receivePong([1])
        default: harness.receive("hb")
        }
        harness.run(until: 13_000)
        #expect(harness.verdicts == (isAlive ? [] : [.silence(watch: 0)]))
    }

    @Test func anEmptyPongThatNobodyAskedForProvesNothing() throws {
        let harness = try harness(liveness: .pong)
        harness.run(until: 9_000)
        harness.receivePong([])
        harness.run(until: 13_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
    }

    @Test func mayAskWithABeat() throws {
        let beat = #""beat": [{"every": "1h", "send": {"body": "beat"}}], "#
        let harness = try harness(#", "probe": "beat""#, more: beat)
        harness.run(until: 11_000)
        harness.receive("data")
        harness.run(until: 22_999)
        #expect(harness.takeSent() == ["10000 beat", "20000 beat"])
        #expect(harness.verdicts == [])
        harness.run(until: 23_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
    }

    @Test func aProbeIsNotAskedWhileNobodyReads() throws {
        let harness = try harness()
        harness.run(until: 11_000)
        harness.engine.readingPaused(harness.now)
        harness.run(until: 60_000)
        harness.engine.readingResumed(harness.now)
        harness.run(until: 72_999)
        #expect(harness.verdicts == [])
        #expect(harness.takeSent() == ["10000 ping ", "70000 ping "])
        harness.run(until: 73_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
    }

    @Test func aProbeOfOneConnectionIsNotThatOfTheNext() throws {
        let harness = try harness()
        harness.run(until: 11_000)
        harness.end()
        harness.open()
        harness.run(until: 20_999)
        #expect(harness.verdicts == [])
        #expect(harness.takeNotes() == ["10000 silent 1 watch 0"])
        #expect(harness.takeSent() == ["10000 ping "])
    }

    // MARK: Without asking

    @Test(arguments: ["none", "forbidden", "close"])
    func endsAtOnceWhereNothingMayBeAsked(way: String) throws {
        let harness = try harness(
            way == "none" ? #", "probe": "none""# : "", more: way == "forbidden" ? #""send": "forbidden", "# : "",
            policy: way == "close" ? .close : .probe)
        harness.run(until: 5_000)
        harness.receive("hb")
        harness.run(until: 14_999)
        #expect(harness.verdicts == [])
        harness.run(until: 15_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
        #expect(harness.takeSent() == [])
    }

    /// Other bytes show that the peer is there, but only for the interval in which they came.
    @Test(arguments: [5_001, 14_999] as [Int64])
    func otherBytesDeferTheEndByOneInterval(at: Int64) throws {
        let harness = try harness(policy: .close)
        harness.run(until: 5_000)
        harness.receive("hb")
        harness.run(until: at)
        harness.receiveBytes()
        harness.run(until: 24_999)
        #expect(harness.verdicts == [])
        harness.run(until: 25_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
    }

    @Test func otherBytesInEachIntervalDeferTheEndForGood() throws {
        let harness = try harness(policy: .close)
        for second in 1...20 as ClosedRange<Int64> {
            harness.run(until: second * 5000)
            harness.receiveBytes()
        }
        #expect(harness.verdicts == [])
    }

    @Test(arguments: [HeartbeatConfiguration.Liveness.pong, .data])
    func otherBytesDeferNothingIfTheyDoNotCount(liveness: HeartbeatConfiguration.Liveness) throws {
        let harness = try harness(policy: .close, liveness: liveness)
        harness.run(until: 9_000)
        harness.receive("data")
        harness.run(until: 10_000)
        #expect(harness.verdicts == [.silence(watch: 0)])
    }

    @Test func reportingIsAllThatFollowsIfNothingElseIsAskedFor() throws {
        let harness = try harness(policy: .report)
        harness.run(until: 500_000)
        #expect(harness.verdicts == [])
        #expect(harness.takeSent() == [])
    }
}
