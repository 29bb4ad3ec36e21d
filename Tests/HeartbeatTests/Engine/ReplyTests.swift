/// Answers to the server's requests: which, how often, how fast, and what happens when there is none.
import Heartbeat
import Testing
import WebSocket

struct ReplyTests {
    private static let ask = #"{"reply": [{"on": {"prefix": "ask"}, "send": {"body": "answer"}}]}"#

    // MARK: Which

    @Test func theFirstThatMatchesAnswers() throws {
        let harness = try EngineHarness(
            #"""
            {"reply": [{"on": {"eq": "ask now"}, "send": {"body": "first"}}, {"on": {"prefix": "ask"}, "send": {"body": "second"}},
                       {"on": {"prefix": "as"}, "send": {"op": "binary", "body": "third"}}]}
            """#)
        for text in ["ask now", "ask", "as", "a", ""] { harness.receive(text) }
        #expect(harness.takeSent() == ["0 first", "0 second", "0 binary third"])
        #expect(
            harness.takeNotes() == [
                "0 received reply 0", "0 responded reply 0 onTarget", "0 received reply 1", "0 responded reply 1 onTarget",
                "0 received reply 2", "0 responded reply 2 onTarget",
            ])
        #expect(harness.engine.totals.answered == 3)
    }

    @Test func eachUnitIsAnsweredOnce() throws {
        let harness = try EngineHarness(
            #"""
            {"frame": {"split": "\n"},
             "reply": [{"on": {"has": ["/p"]}, "take": {"p": "/p"}, "send": {"body": "{\"pong\":${p}}"}}]}
            """#)
        harness.receive("{\"p\":1}\n\n{\"q\":2}\n{\"p\":1.50}\n{\"p\":\"a\\\"b\"}")
        #expect(harness.takeSent() == [#"0 {"pong":1}"#, #"0 {"pong":1.50}"#, #"0 {"pong":"a\"b"}"#])
    }

    /// A message of millions of requests must not hold up everybody else's heartbeats.
    @Test(arguments: [(64, 64, 0), (65, 64, 1), (100_000, 64, 1)])
    func oneMessageIsLookedAtForSoManyRequests(requests: Int, answers: Int, failures: UInt64) throws {
        let harness = try EngineHarness(#"{"frame": {"split": "\n"}, "reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}]}"#)
        harness.receive(String(repeating: "ask\n", count: requests))
        #expect(harness.takeSent().count == answers)
        #expect(harness.engine.totals.failed == failures)
        harness.receive("ask")
        #expect(harness.takeSent() == ["0 answer"])
    }

    @Test func withoutItsCaptureItIsAFailure() throws {
        let harness = try EngineHarness(
            #"""
            {"reply": [{"on": {"json": {"/t": "ping"}}, "take": {"n": "/n"}, "send": {"body": "${n}"}},
                       {"on": {"json": {"/t": "ping"}}, "send": {"body": "never"}}]}
            """#)
        harness.receive(#"{"t": "ping"}"#)
        harness.receive(#"{"t": "ping", "n": null}"#)
        #expect(harness.takeSent() == ["0 null"])
        #expect(
            harness.takeNotes() == [
                "0 received reply 0", "0 failed couldNotMake 1 reply 0", "0 received reply 0", "0 responded reply 0 onTarget",
            ])
        #expect(harness.engine.snapshot.failuresInARow == 0)
    }

    @Test func failuresInARowEndTheConnection() throws {
        let harness = try EngineHarness(#"{"reply": [{"on": {"eq": "ask"}, "take": {"n": "/n"}, "send": {"body": "${n}"}}]}"#)
        for _ in 0..<5 { harness.receive("ask") }
        #expect(harness.verdicts == [.failures(3)])
        #expect(harness.takeSent() == [])
    }

    @Test func aHugeCaptureIsNotEchoed() throws {
        let harness = try EngineHarness(#"{"reply": [{"on": {"prefix": "x"}, "send": {"body": "${payload}"}}]}"#)
        harness.receive(String(repeating: "x", count: 65_536))
        #expect(harness.allSent.count == 1)
        harness.receive(String(repeating: "x", count: 65_537))
        #expect(harness.allSent.count == 1)
        #expect(harness.takeNotes().last == "0 failed couldNotMake 1 reply 0")
    }

    // MARK: How fast

    @Test(
        arguments: [
            (0, "onTarget"), (500, "onTarget"), (501, "aboveTarget"), (1000, "aboveTarget"), (1001, "warning"), (2000, "warning"),
            (2001, "critical"), (2999, "critical"), (3001, "overdue"),
        ] as [(Int64, String)])
    func itsTimeHasALevel(milliseconds: Int64, level: String) throws {
        let harness = try EngineHarness(Self.ask)
        harness.isWritable = false
        harness.receive("ask")
        harness.run(until: milliseconds)
        _ = harness.takeNotes()
        harness.isWritable = true
        let change = level == "onTarget" ? [] : ["\(milliseconds) response onTarget to \(level)"]
        #expect(harness.takeNotes() == ["\(milliseconds) responded reply 0 \(level)"] + change)
        #expect(harness.engine.snapshot.responses.recent.count == 1)
    }

    @Test func anAnswerHandedOverAtTheVeryDeadlineIsInTime() throws {
        let harness = try EngineHarness(Self.ask)
        harness.isWritable = false
        harness.receive("ask")
        harness.arrive(at: 3_000)
        harness.isWritable = true
        harness.run(until: 10_000)
        #expect(harness.takeNotes().filter { $0.contains("failed") } == [])
    }

    @Test func levelsAreToldEachTimeTheyAreCrossed() throws {
        let harness = try EngineHarness(Self.ask)
        for (number, delay) in ([100, 700, 800, 1500, 200] as [Int64]).enumerated() {
            harness.stall(until: Int64(number) * 10_000)
            harness.isWritable = false
            harness.receive("ask")
            harness.run(until: Int64(number) * 10_000 + delay)
            harness.isWritable = true
        }
        #expect(
            harness.takeNotes().filter { $0.contains("response") } == [
                "10700 response onTarget to aboveTarget", "31500 response aboveTarget to warning", "40200 response warning to onTarget",
            ])
    }

    @Test func anOverdueAnswerIsReportedOnceAndJudgedAtLast() throws {
        let harness = try EngineHarness(Self.ask)
        harness.isWritable = false
        harness.receive("ask")
        harness.run(until: 2_999)
        #expect(harness.takeNotes() == ["0 received reply 0"])
        harness.run(until: 60_000)
        #expect(harness.takeNotes() == ["3000 failed overdue 1 connection"])
        harness.isWritable = true
        #expect(harness.takeNotes() == ["60000 responded reply 0 overdue", "60000 response onTarget to overdue"])
        #expect(harness.engine.totals.failed == 1)
        harness.receive("ask")
        #expect(harness.engine.snapshot.failuresInARow == 0)
    }

    @Test func eachOverdueAnswerFailsOnce() throws {
        let harness = try EngineHarness(Self.ask) { $0.failureThreshold = 10 }
        harness.isWritable = false
        for second in 0..<3 as Range<Int64> {
            harness.run(until: second * 1000)
            harness.receive("ask")
        }
        harness.run(until: 60_000)
        harness.isWritable = true
        #expect(harness.engine.totals.failed == 3)
        #expect(harness.engine.totals.answered == 3)
    }

    /// A pong passes an answer that waits for the end of a long message.
    @Test func anAnswerThatOvertakesDoesNotHaveTheOverdueOneJudgedTwice() throws {
        let harness = try EngineHarness(Self.ask)
        harness.isWritable = false
        harness.receive("ask")
        harness.run(until: 5_000)
        harness.receivePing([1])
        harness.run(until: 6_000)
        harness.isWritable = true
        #expect(harness.engine.totals.failed == 1)
        #expect(harness.takeNotes().filter { $0.contains("failed") } == ["3000 failed overdue 1 connection"])
    }

    @Test func overdueAnswersOfOneConnectionAreForgotten() throws {
        let harness = try EngineHarness(Self.ask)
        harness.isWritable = false
        harness.receive("ask")
        harness.run(until: 2_000)
        harness.end()
        harness.open()
        #expect(harness.engine.deadline == nil)
        harness.engine.answerHandedOver(.reply(0), received: EngineHarness.instant(0), EngineHarness.instant(60_000))
        #expect(harness.engine.snapshot.responses.recent.count == 1)
        harness.end()
        harness.engine.answerHandedOver(.reply(0), received: EngineHarness.instant(0), EngineHarness.instant(60_000))
        #expect(harness.engine.totals.answered == 1)
    }

    // MARK: Pings and detectors

    @Test func pongsAreMeasuredAlike() throws {
        let harness = try EngineHarness(Self.ask)
        harness.receivePing([7])
        #expect(harness.takeNotes() == ["0 received ping", "0 responded ping onTarget"])
        #expect(harness.engine.totals.answered == 1)
        #expect(harness.engine.totals.received == 1)
    }

    @Test func whatTheHostDetectsIsCountedAlike() throws {
        let harness = try EngineHarness(Self.ask)
        harness.engine.detected(.answered(received: harness.now), harness.now)
        harness.engine.detected(.seen, harness.now)
        harness.engine.detected(.failed, harness.now)
        harness.engine.detected(.notSent, harness.now)
        harness.poll()
        #expect(
            harness.takeNotes() == [
                "0 received detector", "0 received detector", "0 failed detector 1 detector", "0 failed couldNotSend 2 detector",
            ])
        harness.engine.detected(.failed, harness.now)
        harness.poll()
        #expect(harness.verdicts == [.failures(3)])
        harness.end()
        harness.engine.detected(.failed, harness.now)
        #expect(harness.engine.totals.failed == 3)
    }
}
