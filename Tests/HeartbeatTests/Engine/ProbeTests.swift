/// After a suspension of the machine or a change of its network: a question at once, and the end if nothing shows that the peer is there.
import Heartbeat
import Testing
import WebSocket

struct ProbeTests {
    private func harness(
        _ rules: String? = nil, liveness: HeartbeatConfiguration.Liveness = .anyReceived, timeout: Interval = .seconds(3)
    ) throws -> EngineHarness {
        EngineHarness(try rules.map { try compile($0) }) {
            $0.liveness = liveness
            $0.probeTimeout = timeout
        }
    }

    // MARK: The question and its time

    @Test func asksAtOnceAndGivesUpAPeerThatDoesNotAnswer() throws {
        let harness = try harness()
        harness.run(until: 1_000)
        harness.probe()
        #expect(harness.takeSent() == ["1000 ping "])
        harness.run(until: 3_999)
        #expect(harness.verdicts == [])
        harness.run(until: 4_000)
        #expect(harness.verdicts == [.probeUnanswered])
        #expect(harness.engine.deadline == nil)
    }

    @Test func theAnswerHasFiveSecondsAtMost() throws {
        let harness = try harness(timeout: .seconds(60))
        harness.probe()
        harness.run(until: 4_999)
        #expect(harness.verdicts == [])
        harness.run(until: 5_000)
        #expect(harness.verdicts == [.probeUnanswered])
    }

    @Test(arguments: [-1, 0, 1] as [Int64])
    func anAnswerAtTheVeryEndIsInTime(offset: Int64) throws {
        let harness = try harness()
        harness.probe()
        harness.arrive(at: 3_000, plus: offset)
        harness.receiveBytes()
        harness.run(until: 100_000)
        #expect(harness.verdicts.isEmpty == (offset <= 0))
    }

    @Test func whatCameBeforeIsNoAnswer() throws {
        let harness = try harness()
        harness.run(until: 1_000)
        harness.receiveBytes()
        harness.probe()
        harness.run(until: 4_000)
        #expect(harness.verdicts == [.probeUnanswered])
    }

    /// Bytes, the pong of the probe, a pong of nothing.
    @Test(arguments: [
        (HeartbeatConfiguration.Liveness.anyReceived, "bytes", true), (.anyReceived, "stray pong", true),
        (.pong, "bytes", false), (.pong, "pong", true), (.pong, "stray pong", false),
        (.data, "bytes", true), (.data, "pong", true),
    ])
    func onlyWhatCountsIsAnAnswer(liveness: HeartbeatConfiguration.Liveness, answer: String, isAlive: Bool) throws {
        let harness = try harness(liveness: liveness)
        harness.probe()
        harness.run(until: 1_000)
        switch answer {
        case "bytes": harness.receiveBytes()
        case "pong": harness.receivePong([])
        default: harness.receivePong([1])
        }
        harness.run(until: 100_000)
        #expect(harness.verdicts == (isAlive ? [] : [.probeUnanswered]))
    }

    // MARK: Again

    @Test func anotherCallNeitherAsksAgainNorPutsTheVerdictOff() throws {
        let harness = try harness()
        for milliseconds in [0, 1_000, 2_999] as [Int64] {
            harness.run(until: milliseconds)
            harness.probe()
        }
        harness.run(until: 3_000)
        #expect(harness.takeSent() == ["0 ping "])
        #expect(harness.verdicts == [.probeUnanswered])
    }

    @Test func afterAnAnswerAnotherCallAsksAgain() throws {
        let harness = try harness()
        harness.probe()
        harness.run(until: 1_000)
        harness.receivePong([])
        harness.run(until: 2_000)
        harness.probe()
        harness.run(until: 4_999)
        #expect(harness.takeSent() == ["0 ping ", "2000 ping "])
        #expect(harness.verdicts == [])
        harness.run(until: 5_000)
        #expect(harness.verdicts == [.probeUnanswered])
    }

    @Test func aQuestionOfOneConnectionIsNotThatOfTheNext() throws {
        let harness = try harness()
        harness.probe()
        harness.end()
        harness.probe()
        harness.open()
        harness.run(until: 100_000)
        #expect(harness.verdicts == [])
        #expect(harness.takeSent() == ["0 ping "])
    }

    // MARK: Rules

    @Test func asksAsTheFirstWatchThatAsksDoes() throws {
        let harness = try harness(
            #"{"beat": [{"every": "1h", "send": {"body": "beat"}}],"#
                + #""watch": [{"on": {"eq": "a"}, "within": "1h", "probe": "none"},"#
                + #"{"on": {"eq": "b"}, "within": "1h", "probe": "beat"}]}"#)
        harness.probe()
        #expect(harness.takeSent() == ["0 beat"])
        harness.run(until: 1_000)
        harness.receive("anything")
        harness.run(until: 3_000)
        #expect(harness.verdicts == [])
    }

    @Test(arguments: [
        #"{"send": "forbidden", "watch": [{"on": "any_rx", "within": "1h"}]}"#, #"{"send": "forbidden"}"#,
        #"{"watch": [{"on": "any_rx", "within": "1h", "probe": "none"}]}"#,
    ])
    func asksNothingWhereNothingMayBeAsked(rules: String) throws {
        let harness = try harness(rules)
        harness.probe()
        harness.run(until: 100_000)
        #expect(harness.takeSent() == [])
        #expect(harness.verdicts == [])
    }

    // MARK: While nobody reads

    @Test func anAnswerThatNobodyReadsHasItsTimeWhenReadingGoesOn() throws {
        let harness = try harness()
        harness.engine.readingPaused(harness.now)
        harness.probe()
        harness.run(until: 60_000)
        harness.engine.readingResumed(harness.now)
        harness.run(until: 62_999)
        #expect(harness.verdicts == [])
        harness.run(until: 63_000)
        #expect(harness.verdicts == [.probeUnanswered])
    }
}
