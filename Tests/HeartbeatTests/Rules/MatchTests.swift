import Heartbeat
import Testing
import WebSocket

struct MatchTests {
    @Test(arguments: [
        (#"{}"#, "anything", true),
        (#"{"eq": "ping"}"#, "ping", true),
        (#"{"eq": "ping"}"#, "ping ", false),
        (#"{"eq": "ping"}"#, "Ping", false),
        (#"{"eq": "ping"}"#, "pin", false),
        (#"{"eq": ""}"#, "", true),
        (#"{"hex": "70696e67"}"#, "ping", true),
        (#"{"len": 4}"#, "ping", true),
        (#"{"len": 4}"#, "pings", false),
        (#"{"len": 0}"#, "", true),
        (#"{"prefix": "0{"}"#, "0{\"a\":1}", true),
        (#"{"prefix": "0{"}"#, "0", false),
        (#"{"prefix": "0{"}"#, "00{", false),
        (#"{"word": "PING"}"#, "PING", true),
        (#"{"word": "PING"}"#, "PING :x", true),
        (#"{"word": "PING"}"#, "PINGS", false),
        (#"{"word": "PING"}"#, " PING", false),
        (#"{"empty": true}"#, "{}", true),
        (#"{"empty": true}"#, " \t{\r\n } \r", true),
        (#"{"empty": true}"#, "{\"a\":1}", false),
        (#"{"empty": true}"#, "{", false),
        (#"{"empty": true}"#, "{}}", false),
        (#"{"empty": true}"#, "}{", false),
        (#"{"empty": true}"#, "[]", false),
        (#"{"empty": true}"#, "", false),
        (#"{"prefix": "p", "len": 4}"#, "ping", true),
        (#"{"prefix": "p", "len": 4}"#, "pings", false),
        (#"[{"eq": "a"}, {"eq": "b"}]"#, "b", true),
        (#"[{"eq": "a"}, {"eq": "b"}]"#, "c", false),
    ])
    func textPredicates(match: String, message: String, holds: Bool) throws {
        #expect(try replies(replying(on: match), to: message) == holds)
    }

    @Test(arguments: [
        (#"{"json": {"/op": "ping"}}"#, #"{"op":"ping"}"#, true),
        (#"{"json": {"/op": "ping"}}"#, #"{"op":"pi\u006eg"}"#, true),
        (#"{"json": {"/op": "ping"}}"#, #"{"\u006fp":"ping"}"#, true),
        (#"{"json": {"/op": "ping"}}"#, #"{"op":"pong","x":"ping"}"#, false),
        (#"{"json": {"/op": "ping"}}"#, #"{"a":{"op":"ping"}}"#, false),
        (#"{"json": {"/op": "ping"}}"#, #"{"op":"ping""#, false),
        (#"{"json": {"/op": "ping"}}"#, #"{"op":"ping"}{}"#, false),
        (#"{"json": {"/op": "ping"}}"#, #"{"op":"ping","op":"pong"}"#, false),
        (#"{"json": {"/op": 1}}"#, #"{"op":1.0}"#, true),
        (#"{"json": {"/op": 1}}"#, #"{"op":"1"}"#, false),
        (#"{"json": {"/op": true}}"#, #"{"op":true}"#, true),
        (#"{"json": {"/op": true}}"#, #"{"op":false}"#, false),
        (#"{"json": {"/op": null}}"#, #"{"op":null}"#, true),
        (#"{"json": {"/op": null}}"#, #"{}"#, false),
        (#"{"json": {"": "h"}}"#, #" "h" "#, true),
        (#"{"json": {"/1": "hb"}}"#, #"[5,"hb"]"#, true),
        (#"{"json": {"/a~1b": "x"}}"#, #"{"a/b":"x"}"#, true),
        (#"{"json": {"/a~1b": "x"}}"#, #"{"a\/b":"x"}"#, true),
        (#"{"json": {"/d/!/t": 5}}"#, #"{"d":"{\"t\":5}"}"#, true),
        (#"{"json": {"/d/!": 5}}"#, #"{"d":"5"}"#, true),
        (#"{"has": ["/id"]}"#, #"{"id":null}"#, true),
        (#"{"has": ["/id", "/x"]}"#, #"{"id":1}"#, false),
        (#"{"lacks": ["/id"]}"#, #"{"a":1}"#, true),
        (#"{"lacks": ["/id"]}"#, #"5"#, true),
        (#"{"lacks": ["/id"]}"#, #"{"id":1}"#, false),
        (#"{"lacks": ["/id"]}"#, "no JSON", false),
        (#"{"json": {"/op": "ping"}, "lacks": ["/ret"]}"#, #"{"op":"ping"}"#, true),
        (#"{"json": {"/op": "ping"}, "lacks": ["/ret"]}"#, #"{"op":"ping","ret":1}"#, false),
        (#"{"type": {"/p": "number"}}"#, #"{"p":1}"#, true),
        (#"{"type": {"/p": "number"}}"#, #"{"p":"1"}"#, false),
        (#"{"type": {"/p": "string"}}"#, #"{"p":"1"}"#, true),
        (#"{"type": {"/p": "object"}}"#, #"{"p":{}}"#, true),
        (#"{"type": {"/p": "array"}}"#, #"{"p":[]}"#, true),
        (#"{"type": {"/p": "bool"}}"#, #"{"p":false}"#, true),
        (#"{"type": {"/p": "null"}}"#, #"{"p":null}"#, true),
        (#"{"type": {"": "array"}}"#, "[1]", true),
        (#"{"prefix": " ", "json": {"/op": "ping"}}"#, #" {"op":"ping"}"#, true),
        (#"{"prefix": " ", "json": {"/op": "ping"}}"#, #"{"op":"ping"}"#, false),
        (#"[{"json": {"/a": 1}}, {"json": {"/b": "x"}}]"#, #"{"b":"x"}"#, true),
    ])
    func jsonPredicates(match: String, message: String, holds: Bool) throws {
        #expect(try replies(replying(on: match), to: message) == holds)
    }

    @Test(arguments: [
        (#"{}"#, MessageKind.text, true), (#"{}"#, .binary, false),
        (#"{"op": "text"}"#, .text, true), (#"{"op": "text"}"#, .binary, false),
        (#"{"op": "binary"}"#, .text, false), (#"{"op": "binary"}"#, .binary, true),
        (#"{"op": "any"}"#, .text, true), (#"{"op": "any"}"#, .binary, true),
    ])
    func opcodes(match: String, kind: MessageKind, holds: Bool) throws {
        #expect(try replies(replying(on: match), to: "{}", kind: kind) == holds)
    }

    @Test func bytesNeedNotBeText() throws {
        #expect(try replies(replying(on: #"{"prefix": "ok"}"#), to: [0x6F, 0x6B, 0xFF]))
        #expect(try !replies(replying(on: #"{"json": {"/a": 1}}"#), to: [0xFF, 0x5C, 0xFE]))
        #expect(try replies(replying(on: #"{"op": "binary", "hex": "D000"}"#), to: [0xD0, 0x00], kind: .binary))
    }

    /// The filter speaks for conditions, and a capture has none.
    @Test func capturesAreFoundWhereTheFilterSeesNothing() throws {
        let rules = try compile(
            #"""
            {"reply": [{"on": {"prefix": "{"}, "take": {"n": "/n"}, "send": {"body": "${n}"}}],
             "watch": [{"on": {"has": ["/x"]}, "within": "1s"}]}
            """#
        )
        withUnit(Array(#"{"n":7}"#.utf8)) { unit in
            let scanner = JSONScanner()
            guard case .match(let watched) = rules.watches[0].on else { fatalError("no match") }
            #expect(!watched.holds(for: &unit, rules, scanner))
            #expect(rules.replies[0].on.holds(for: &unit, rules, scanner))
            #expect(rules.replies[0].take[0].view(of: &unit, rules, scanner)?.elementsEqual("7".utf8) == true)
        }
    }

    @Test(arguments: [
        (#"{"id":7}"#, true), (#"{"id":"7"}"#, true), (#"{"id":"\u0037"}"#, true), (#"{"id":8}"#, false), (#"{"id":[7]}"#, false),
        (#"{"n":7}"#, false), ("7", false), (#"{"id":7"#, false),
    ])
    func acksRepeatEqualValues(message: String, isCorrelated: Bool) throws {
        #expect(try correlates(#""equal": {"/id": "counter"}"#, message) == isCorrelated)
    }

    @Test(arguments: [
        (#"{"id":7}"#, true), (#"{"id":8}"#, true), (#"{"id":6}"#, false), (#"{"id":7.5}"#, true), (#"{"id":"8"}"#, false), (#"{}"#, false),
    ])
    func acksRepeatAtLeastTheValue(message: String, isCorrelated: Bool) throws {
        #expect(try correlates(#""at_least": {"/id": "counter"}"#, message) == isCorrelated)
    }

    private func correlates(_ member: String, _ message: String) throws -> Bool {
        let rules = try compile(
            #"{"beat": [{"every": "1s", "send": {"body": "${counter}"}, "ack": {"on": {}, \#(member), "within": "1s"}}]}"#)
        var sent = PendingValues()
        sent.counter = 7
        return withUnit(Array(message.utf8)) { unit in
            rules.beats[0].ack?.isCorrelated(&unit, with: sent, rules, JSONScanner()) ?? false
        }
    }
}
