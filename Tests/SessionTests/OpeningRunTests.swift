import Heartbeat
import Session
import Testing
import WebSocket

struct OpeningRunTests {
    /// A run with the test as the server.
    private struct Harness {
        var run: OpeningRun
        var now = Instant(nanoseconds: 1_000_000_000)
        private let scratch = RuleScratch()

        init(_ steps: [String], rule: String? = nil, coder: (any BodyCoder)? = nil) throws {
            let script = try openingScript(steps)
            let configuration = HeartbeatConfiguration()
            configuration.coder = coder
            if let rule {
                var rules = RuleCompiler()
                try rules.add(bytes(rule), asPreset: false)
                configuration.rules = try rules.finish()
            }
            run = OpeningRun(script, configuration, timeout: .seconds(10), environment: FixedEnvironment(), now)
        }

        mutating func sent() -> [String] { run.takeMessages().map { String(decoding: $0.payload, as: UTF8.self) } }

        mutating func receive(_ text: String, _ kind: MessageKind = .text) {
            bytes(text).withUnsafeBytes { run.messageReceived(kind, $0, scratch, now) }
        }

        mutating func wait(_ milliseconds: Int64) {
            now = now + .milliseconds(milliseconds)
            run.poll(now)
        }

        var isDone: Bool { if case .done = run.state { true } else { false } }
        var failure: OpeningFailure? { if case .failed(let failure) = run.state { failure } else { nil } }
    }

    @Test func aScriptOfSendsIsDoneAtOnce() throws {
        var harness = try Harness([
            #"{"send": {"body": "one"}}"#, #"{"send": {"op": "binary", "hex": "0001"}}"#, #"{"send": {"body": "three"}}"#,
        ])
        #expect(harness.isDone)
        #expect(harness.run.deadline == nil)
        let messages = harness.run.takeMessages()
        #expect(messages.map { $0.payload } == [bytes("one"), [0, 1], bytes("three")])
        #expect(messages.map { $0.kind == .binary } == [false, true, false])
        #expect(harness.sent() == [])
    }

    @Test func eachStepWaitsForTheOneBefore() throws {
        var harness = try Harness([
            #"{"expect": {"prefix": "hello"}}"#, #"{"send": {"body": "login"}}"#, #"{"send": {"body": "more"}}"#,
            #"{"expect": {"json": {"/ok": true}}}"#, #"{"send": {"body": "last"}}"#,
        ])
        #expect(harness.sent() == [])
        harness.receive(#"{"ok":true}"#)
        harness.receive("no")
        #expect(harness.sent() == [])
        harness.receive("hello, you")
        #expect(harness.sent() == ["login", "more"])
        #expect(!harness.isDone)
        harness.receive("hello again")
        harness.receive(#"{"ok":true}"#, .binary)
        #expect(!harness.isDone)
        harness.receive(#"{"ok":true}"#)
        #expect(harness.sent() == ["last"])
        #expect(harness.isDone)
        harness.receive("hello")
        harness.wait(1_000_000)
        #expect(harness.isDone)
    }

    @Test func oneMessageMeetsOneExpectation() throws {
        var harness = try Harness([#"{"expect": {}}"#, #"{"expect": {}}"#])
        harness.receive("a")
        #expect(!harness.isDone)
        harness.receive("a")
        #expect(harness.isDone)
    }

    @Test func learnedValuesAreSent() throws {
        var harness = try Harness([
            #"""
            {"expect": {"has": ["/id"]},
             "learn": {"id": "/id", "token": {"after": "\"token\":\"", "until": "\""}, "counter": "/n", "gone": "/gone"}}
            """#,
            #"{"send": {"body": "${last.id} ${last.token} ${counter} ${counter} ${last.gone|nothing}"}}"#,
            #"{"send": {"body": "${counter}"}}"#,
        ])
        harness.receive(#"{"id":"a","token":"\#(String(repeating: "t", count: 5000))","n":41}"#)
        #expect(harness.sent() == [#""a" \#(String(repeating: "t", count: 5000)) 42 42 nothing"#, "43"])
        #expect(harness.isDone)
    }

    @Test func aLaterValueReplacesAnEarlierOne() throws {
        var harness = try Harness([
            #"{"expect": {}, "learn": {"a": "/a"}}"#, #"{"expect": {}, "learn": {"a": "/a"}}"#, #"{"send": {"body": "${last.a}"}}"#,
        ])
        harness.receive(#"{"a":1}"#)
        harness.receive(#"{"a":2}"#)
        #expect(harness.sent() == ["2"])
    }

    @Test(arguments: [#"{"b":1}"#, #"{"a":null}"#]) func aMissingValueFailsTheStepThatSendsIt(message: String) throws {
        var harness = try Harness([
            #"{"send": {"body": "x"}}"#, #"{"expect": {}, "learn": {"a": "/a"}}"#, #"{"send": {"body": "${last.a}"}}"#,
        ])
        harness.receive(message)
        #expect(harness.failure == OpeningFailure(step: 2, reason: .couldNotMake))
        #expect(harness.run.deadline == nil)
        #expect(harness.failure?.sentence.contains("step 2 of the opening script could not be sent") == true)
    }

    @Test func bodiesBeyond64KiBAreNotMade() throws {
        let steps = [#"{"expect": {}, "learn": {"a": "payload"}}"#, #"{"send": {"body": "${last.a}"}}"#]
        var harness = try Harness(steps)
        harness.receive(String(repeating: "x", count: 65536))
        #expect(harness.isDone)
        harness = try Harness(steps)
        harness.receive(String(repeating: "x", count: 65537))
        #expect(harness.failure?.reason == .couldNotMake)
    }

    @Test func anExpectationHasItsTime() throws {
        var harness = try Harness([#"{"expect": {"eq": "a"}, "timeout": "5s"}"#, #"{"expect": {"eq": "b"}}"#])
        #expect(harness.run.deadline == harness.now + .seconds(5))
        harness.wait(4999)
        #expect(harness.failure == nil)
        harness.receive("a")
        #expect(harness.run.deadline == harness.now + .seconds(10))
        harness.wait(9999)
        harness.receive("a")
        #expect(harness.failure == nil)
        harness.wait(1)
        #expect(harness.failure == OpeningFailure(step: 1, reason: .timedOut(after: .seconds(10))))
        #expect(harness.failure?.sentence == "step 1 of the opening script: what it expects did not come within 10000 ms")
        #expect(harness.run.deadline == nil)
        harness.receive("b")
        #expect(!harness.isDone)
    }

    @Test func aMessageInTheLastMomentIsInTime() throws {
        var harness = try Harness([#"{"expect": {}, "timeout": "5s"}"#])
        harness.now = harness.now + .seconds(5)
        harness.receive("a")
        harness.run.poll(harness.now)
        #expect(harness.isDone)
    }

    @Test func aRefusalFailsAtOnce() throws {
        let step = #"{"expect": {"has": ["/id"]}, "fail": [{"has": ["/error"]}, {"prefix": "NO"}]}"#
        var harness = try Harness([step])
        harness.receive(#"{"id":1,"error":"bad key"}"#)
        #expect(harness.failure?.step == 0)
        #expect(harness.failure?.sentence == #"step 0 of the opening script: the server refused: {"id":1,"error":"bad key"}"#)
        harness = try Harness([step])
        harness.receive("NO" + String(repeating: "!", count: 500))
        #expect(harness.failure?.reason == .refused(bytes("NO" + String(repeating: "!", count: 126))))
        harness = try Harness([#"{"expect": {"eq": "a"}, "fail": {"eq": "b"}}"#, #"{"expect": {"eq": "b"}}"#])
        harness.receive("a")
        harness.receive("b")
        #expect(harness.isDone)
    }

    @Test func unitsAreWhatTheRulesSay() throws {
        let rule = #"{"frame": {"split": "\u001e"}}"#
        var harness = try Harness(
            [#"{"send": {"body": "{\"protocol\":\"json\"}\u001e"}}"#, #"{"expect": {"empty": true}}"#, #"{"expect": {"eq": "x"}}"#],
            rule: rule)
        #expect(harness.sent() == ["{\"protocol\":\"json\"}\u{1E}"])
        harness.receive("{}\u{1E}{\"type\":6}\u{1E}x\u{1E}")
        #expect(harness.isDone)
        harness = try Harness([#"{"expect": {"empty": true}}"#])
        harness.receive("{}\u{1E}{\"type\":6}\u{1E}")
        #expect(!harness.isDone)
    }

    @Test func compressedMessagesAreReadAndWritten() throws {
        var harness = try Harness(
            [
                #"{"expect": {"op": "binary", "eq": "hello"}}"#,
                #"{"send": {"op": "binary", "body": "olleh", "encode": ["gzip"]}}"#,
            ], rule: #"{"frame": {"decode": ["gzip"]}}"#, coder: ReversingCoder())
        harness.receive("hello", .binary)
        #expect(!harness.isDone)
        harness.receive("olleh", .binary)
        #expect(harness.sent() == ["hello"])
        harness = try Harness([#"{"send": {"op": "binary", "body": "olleh", "encode": ["gzip"]}}"#])
        #expect(harness.failure?.reason == .couldNotMake)
    }
}

/// Stands for a compressed form.
private final class ReversingCoder: BodyCoder {
    func decode(_ coding: BodyCoding, _ input: UnsafeRawBufferPointer, into output: inout ByteQueue, sizeMax: Int) -> Bool {
        output.removeAll()
        output.append([UInt8](input.reversed()))
        return input.count <= sizeMax
    }

    func encode(_ coding: BodyCoding, _ input: [UInt8]) -> [UInt8]? { input.reversed() }
}
