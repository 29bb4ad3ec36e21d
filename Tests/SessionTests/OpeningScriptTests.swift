import Heartbeat
import Session
import Testing
import WebSocket

func openingScript(_ steps: [String]) throws(RuleError) -> OpeningScript {
    var script = try OpeningScript.adding(bytes(steps[0]), to: nil)
    for step in steps.dropFirst() { script = try .adding(bytes(step), to: script) }
    return script
}

struct OpeningScriptTests {
    /// What is wrong with one of the steps.
    private func error(of steps: String...) -> RuleError? {
        do throws(RuleError) {
            _ = try openingScript(steps)
            return nil
        } catch {
            return error
        }
    }

    private func expect(_ error: RuleError?, _ pointer: String, _ sentence: String) {
        guard let error else {
            Issue.record("no error")
            return
        }
        #expect(String(decoding: error.pointer, as: UTF8.self) == pointer)
        #expect(error.sentence.contains(sentence), "\(error.sentence)")
    }

    @Test(arguments: [
        ("", "", "is no JSON: "),
        ("[]", "", "must be an object, not an array"),
        ("{}", "", "needs 'send' or 'expect'"),
        (#"{"note": "nothing"}"#, "", "needs 'send' or 'expect'"),
        (#"{"sent": {"body": "x"}}"#, "/sent", "unknown member 'sent'; did you mean 'send'?"),
        (#"{"send": {"body": "x"}, "expect": {}}"#, "/send", "is a step of its own"),
        (#"{"send": {"body": "x"}, "timeout": "1s"}"#, "/timeout", "goes with 'expect'"),
        (#"{"send": {"body": "x"}, "learn": {}}"#, "/learn", "goes with 'expect'"),
        (#"{"send": {"body": "x"}, "fail": {}}"#, "/fail", "goes with 'expect'"),
        (#"{"send": "x"}"#, "/send", "must be an object, not a string"),
        (#"{"send": {}}"#, "/send", "'body' is missing"),
        (#"{"send": {"body": "${payload}"}}"#, "/send/body", "has ${payload}"),
        (#"{"send": {"body": "${token}"}}"#, "/send/body", "has ${token}"),
        (#"{"send": {"op": "ping", "body": ""}}"#, "/send", "sends a ping"),
        (#"{"expect": "any_rx"}"#, "/expect", "must be an object of predicates, not a string"),
        (#"{"expect": {"json": {"a": 1}}}"#, "/expect/json/a", "is no JSON pointer"),
        (#"{"expect": {}, "timeout": 5}"#, "/timeout", "must be a string, not a number"),
        (#"{"expect": {}, "timeout": "5"}"#, "/timeout", "'5' is no duration"),
        (#"{"expect": {}, "timeout": "0s"}"#, "/timeout", "is out of range"),
        (#"{"expect": {}, "fail": []}"#, "/fail", "has no alternative"),
        (#"{"expect": {}, "learn": {"a b": "/a"}}"#, "/learn/a b", "is no name"),
        (#"{"expect": {}, "learn": {"a": "a"}}"#, "/learn/a", "is no JSON pointer"),
        (#"{"expect": {}, "learn": ["a"]}"#, "/learn", "must be an object, not an array"),
    ])
    func mistakesNameTheirMember(step: String, pointer: String, sentence: String) { expect(error(of: step), pointer, sentence) }

    @Test func whatIsSentWasLearnedBefore() {
        let learn = #"{"expect": {}, "learn": {"a": "/a"}}"#
        #expect(error(of: learn, #"{"send": {"body": "${last.a}"}}"#) == nil)
        #expect(error(of: #"{"send": {"body": "${last.a|none}"}}"#) == nil)
        expect(error(of: #"{"send": {"body": "${last.a}"}}"#, learn), "/send", "no step before it learns")
        expect(error(of: learn, #"{"send": {"body": "${last.b}"}}"#), "/send", "no step before it learns")
    }

    @Test func aWrongStepLeavesNothingBehind() throws {
        let script = try openingScript([#"{"send": {"body": "x"}}"#])
        #expect(throws: RuleError.self) { try OpeningScript.adding(bytes(#"{"expect": {}, "learn": {"a": "/a", "b": 5}}"#), to: script) }
        #expect(throws: RuleError.self) { try OpeningScript.adding(bytes(#"{"send": {"body": "${last.a}"}}"#), to: script) }
        #expect(script.steps.count == 1)
        #expect(try OpeningScript.adding(bytes(#"{"expect": {}}"#), to: script).steps.count == 2)
        #expect(script.steps.count == 1)
    }

    @Test func stepsAndTheirBytesAreLimited() throws {
        let small = #"{"expect": {}}"#
        #expect(try openingScript([String](repeating: small, count: 31)).hasRoom(for: bytes(small)))
        #expect(try !openingScript([String](repeating: small, count: 32)).hasRoom(for: bytes(small)))
        let head = #"{"expect": {}, "note": ""#
        let large = head + String(repeating: "x", count: RuleLimit.documentSize - head.utf8.count - 2) + "\"}"
        #expect(try openingScript([String](repeating: large, count: 3)).hasRoom(for: bytes(large)))
        let full = try openingScript([String](repeating: large, count: 4))
        #expect(full.hasRoom(for: []))
        #expect(!full.hasRoom(for: [0x20]))
        expect(error(of: large + " "), "", "at most 65536 are allowed")
    }

    @Test func knowsWhatItNeeds() throws {
        var script = try openingScript([#"{"expect": {}}"#])
        #expect((script.sends, script.usesCoding) == (false, false))
        script = try OpeningScript.adding(bytes(#"{"send": {"body": "x"}}"#), to: script)
        #expect((script.sends, script.usesCoding) == (true, false))
        script = try OpeningScript.adding(bytes(#"{"send": {"op": "binary", "body": "x", "encode": ["gzip"]}}"#), to: script)
        #expect((script.sends, script.usesCoding) == (true, true))
    }
}
