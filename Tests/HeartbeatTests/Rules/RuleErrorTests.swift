import Heartbeat
import Testing

struct RuleErrorTests {
    @Test(arguments: [
        ("", "", "is no JSON: "),
        ("{", "", "is no JSON: "),
        ("[]", "", "must be an object, not an array"),
        (#"{"beats": []}"#, "/beats", "unknown member 'beats'; did you mean 'beat'?"),
        (#"{"xyzzy": 1}"#, "/xyzzy", #"unknown member 'xyzzy'; known are "frame", "setup","#),
        (#"{"a/b~c": 1}"#, "/a~1b~0c", "unknown member 'a/b~c'; known are"),
        (#"{"beat": [], "beat": []}"#, "/beat", "is given twice"),
        (#"{"beat": {}}"#, "/beat", "must be an array, not an object"),
        (#"{"beat": ["ping"]}"#, "/beat/0", "must be an object, not a string"),
        (#"{"note": 5}"#, "/note", "must be a string, not a number"),
        (
            #"{"replace": ["frame"]}"#, "/replace/0",
            #"'frame' is unknown; write "beat", "reply", "watch", "setup", "learn", "reconnect" or "stamp""#
        ),
        (#"{"send": "allowed"}"#, "/send", #"'allowed' is unknown; write "forbidden""#),
        (#"{"frame": {"decode": ["brotli"]}}"#, "/frame/decode/0", #"'brotli' is unknown; write "gzip", "zlib" or "raw_deflate""#),
        (#"{"frame": {"decode": "gzip"}}"#, "/frame/decode", "must be an array, not a string"),
        (#"{"frame": {"split": "\t"}}"#, "/frame/split", #"'\u0009' is unknown; write "\n", "\r\n", "\u001e", "tv", "varint" or "mqtt""#),
        (#"{"frame": {"splt": "tv"}}"#, "/frame/splt", "unknown member 'splt'; did you mean 'split'?"),
    ])
    func documents(rule: String, pointer: String, sentence: String) { expect(rule, pointer, sentence) }

    @Test(arguments: [
        (#"5"#, "", "must be an object of predicates, not a number"),
        (#""ping""#, "", "must be an object of predicates, not a string"),
        (#"[]"#, "", "has no alternative; write at least one object"),
        (#"[{}, 5]"#, "/1", "must be an object of predicates, not a number"),
        (#"{"equals": "x"}"#, "/equals", "unknown member 'equals'; "),
        (#"{"op": "ping"}"#, "/op", #"'ping' is unknown; write "text", "binary" or "any""#),
        (#"{"eq": 5}"#, "/eq", "must be a string, not a number"),
        (#"{"eq": "a", "hex": "00"}"#, "/hex", "cannot equal both 'eq' and 'hex'"),
        (#"{"hex": "0"}"#, "/hex", "has an odd number of digits"),
        (#"{"hex": "c0 00"}"#, "/hex", "'c0 00' is not hexadecimal; write two digits a byte, for example \"c000\""),
        (#"{"len": -1}"#, "/len", "'-1' is no whole number from 0 to"),
        (#"{"len": 1.5}"#, "/len", "'1.5' is no whole number from 0 to"),
        (#"{"len": "1"}"#, "/len", "must be a whole number, not a string"),
        (#"{"empty": false}"#, "/empty", "can only be true"),
        (#"{"json": ["/a"]}"#, "/json", "must be an object, not an array"),
        (#"{"json": {"/a": []}}"#, "/json/~1a", "must be a string, a number, true, false or null; for an array use 'type'"),
        (#"{"json": {"a": 1}}"#, "/json/a", "'a' is no JSON pointer: "),
        (#"{"json": {"/a~2": 1}}"#, "/json/~1a~02", "'/a~2' is no JSON pointer: "),
        (#"{"has": "/a"}"#, "/has", "must be an array, not a string"),
        (#"{"has": ["a"]}"#, "/has/0", "'a' is no JSON pointer: "),
        (#"{"lacks": [5]}"#, "/lacks/0", "must be a string, not a number"),
        (#"{"type": {"/a": "int"}}"#, "/type/~1a", #"'int' is unknown; write "number", "string", "object", "array", "bool" or "null""#),
    ])
    func matches(match: String, pointer: String, sentence: String) {
        expect(#"{"reply": [{"on": \#(match), "send": {"body": "x"}}]}"#, "/reply/0/on" + pointer, sentence)
    }

    @Test(arguments: [
        (#"{"send": {"body": "x"}}"#, "/reply/0", "'on' is missing; write for example"),
        (#"{"on": {}, "send": null}"#, "/reply/0", #"'send' is missing; write for example "send": {"body": "ping"}"#),
        (#"{"on": {}, "send": {}}"#, "/reply/0/send", #"'body' is missing; write for example "body": "ping""#),
        (#"{"on": {}, "send": "x"}"#, "/reply/0/send", "must be an object, not a string"),
        (#"{"on": {}, "send": {"body": "x", "hex": "00"}}"#, "/reply/0/send/body", "'body' and 'hex' both say what to send"),
        (#"{"on": {}, "send": {"hex": "00"}}"#, "/reply/0/send/hex", "bytes need \"op\": \"binary\" or \"ping\""),
        (#"{"on": {}, "send": {"op": "pong", "body": ""}}"#, "/reply/0/send/op", #"'pong' is unknown; write "text", "binary" or "ping""#),
        (#"{"on": {}, "send": {"body": "x", "encode": ["gzip"]}}"#, "/reply/0/send/encode", "compressed bytes are no text"),
        (#"{"on": {}, "send": {"op": "binary", "body": "x", "wrap": "tv"}}"#, "/reply/0/send/wrap", "is for text"),
        (#"{"on": {}, "send": {"body": "x", "wrap": "mqtt"}}"#, "/reply/0/send/wrap", #"'mqtt' is unknown; write "tv""#),
        (#"{"on": {}, "take": {"a b": "/a"}, "send": {"body": "x"}}"#, "/reply/0/take/a b", "'a b' is no name; write up to 64 letters"),
        (#"{"on": {}, "take": {"uuid": "/a"}, "send": {"body": "x"}}"#, "/reply/0/take/uuid", "${uuid} has a meaning of its own"),
        (
            #"{"on": {}, "take": {"a": 5}, "send": {"body": "x"}}"#, "/reply/0/take/a",
            "must be a JSON pointer, \"payload\" or an object with 'after'"
        ),
        (#"{"on": {}, "take": {"a": "a"}, "send": {"body": "x"}}"#, "/reply/0/take/a", "'a' is no JSON pointer: "),
        (#"{"on": {}, "take": {"a": {"until": "x"}}, "send": {"body": "x"}}"#, "/reply/0/take/a", "'after' is missing"),
        (#"{"on": {}, "take": {"a": {"after": "x", "until": ""}}, "send": {"body": "x"}}"#, "/reply/0/take/a/until", "is empty"),
        (#"{"on": {}, "take": {"a": {"after": "x", "sep": ""}}, "send": {"body": "x"}}"#, "/reply/0/take/a/sep", "is empty"),
        (#"{"on": {}, "take": {"a": {"after": "x", "index": 1}}, "send": {"body": "x"}}"#, "/reply/0/take/a/index", "'sep' must say"),
    ])
    func replies(reply: String, pointer: String, sentence: String) { expect(#"{"reply": [\#(reply)]}"#, pointer, sentence) }

    @Test(arguments: [
        ("${id", "has a ${ without its }, at '${id'"),
        ("${", "has a ${ without its }, at '${'"),
        ("${?id}x", "has a section ${?...} without its end ${/}"),
        ("x${/}", "has ${/} without a section before it"),
        ("${?id}${?id}${?id}${?id}${?id}x", "has sections nested deeper than 4"),
        ("${di}", "has ${di}, which 'take' does not define; known here are id, counter, unix_s, unix_ms, iso8601, uuid, rand, payload"),
        ("${?counter}x${/}", "has ${counter}, which 'take' does not define"),
        ("${}", "has ${}, which 'take' does not define"),
        ("${last.}", "'' is no name"),
        ("${last.a b}", "'a b' is no name"),
        ("${last.counter}", "the counter is ${counter}"),
    ])
    func templates(template: String, sentence: String) {
        expect(
            #"{"reply": [{"on": {}, "take": {"id": "/id"}, "send": {"body": "\#(template)"}}]}"#, "/reply/0/send/body", sentence)
    }

    @Test(arguments: [
        (#"{"send": {"body": "x"}}"#, "", #"'every' is missing; write for example "every": "20s""#),
        (
            #"{"every": "20 s", "send": {"body": "x"}}"#, "/every",
            #"'20 s' is no duration; write for example "20s", "500ms", "5m" or "24h""#
        ),
        (#"{"every": "", "send": {"body": "x"}}"#, "/every", "'' is no duration"),
        (#"{"every": "20", "send": {"body": "x"}}"#, "/every", "'20' is no duration"),
        (#"{"every": "-5s", "send": {"body": "x"}}"#, "/every", "'-5s' is no duration"),
        (#"{"every": "1.5s", "send": {"body": "x"}}"#, "/every", "'1.5s' is no duration"),
        (#"{"every": "0s", "send": {"body": "x"}}"#, "/every", "'0s' is out of range; it must be from 1ms to 7 days"),
        (#"{"every": "169h", "send": {"body": "x"}}"#, "/every", "'169h' is out of range"),
        (#"{"every": "99999999999999999999999ms", "send": {"body": "x"}}"#, "/every", "is out of range"),
        (
            #"{"every": 20, "send": {"body": "x"}}"#, "/every",
            "must be a duration such as \"20s\", or an object with 'var' and 'unit', not a number"
        ),
        (#"{"every": {"unit": "s"}, "send": {"body": "x"}}"#, "/every", "'var' is missing"),
        (#"{"every": {"var": "v"}, "send": {"body": "x"}}"#, "/every", "'unit' is missing"),
        (#"{"every": {"var": "v", "unit": "m"}, "send": {"body": "x"}}"#, "/every/unit", #"'m' is unknown; write "s" or "ms""#),
        (#"{"every": {"var": "counter", "unit": "s"}, "send": {"body": "x"}}"#, "/every/var", "the counter is no length of time"),
        (#"{"every": {"var": "", "unit": "s"}, "send": {"body": "x"}}"#, "/every/var", "'' is no name"),
        (#"{"every": {"var": "v", "unit": "s", "min_ms": 0}, "send": {"body": "x"}}"#, "/every/min_ms", "'0' is no whole number from 1 to"),
        (
            #"{"every": {"var": "v", "unit": "s", "min_ms": 5, "max_ms": 4}, "send": {"body": "x"}}"#, "/every/max_ms",
            "is less than 'min_ms'"
        ),
        (
            #"{"every": {"var": "v", "unit": "s", "mul": 0}, "send": {"body": "x"}}"#, "/every/mul",
            "'0' is out of range; it must be more than 0"
        ),
        (#"{"every": {"var": "v", "unit": "s", "mul": -1}, "send": {"body": "x"}}"#, "/every/mul", "'-1' is out of range"),
        (#"{"every": {"var": "v", "unit": "s", "mul": 1e99}, "send": {"body": "x"}}"#, "/every/mul", "'1e99' is out of range"),
        (#"{"every": {"var": "v", "unit": "s", "mul": "2"}, "send": {"body": "x"}}"#, "/every/mul", "must be a number, not a string"),
        (
            #"{"every": {"var": "v", "unit": "s", "add_ms": -1}, "send": {"body": "x"}}"#, "/every/add_ms",
            "'-1' is no whole number from 0 to"
        ),
        (#"{"every": "1s"}"#, "", "'send' is missing"),
        (
            #"{"every": "1s", "first": "later", "send": {"body": "x"}}"#, "/first",
            #"'later' is unknown; write "interval", "now" or "jitter""#
        ),
        (
            #"{"every": "1s", "when": "idle", "send": {"body": "x"}}"#, "/when",
            #"'idle' is unknown; write "always", "idle_tx", "idle_rx" or "idle_any""#
        ),
        (#"{"every": "1s", "start": "first", "send": {"body": "x"}}"#, "/start", #"'first' is unknown; write "open""#),
        (#"{"every": "1s", "send": {"body": "${payload}"}}"#, "/send/body", "has ${payload}, but answers no message that has one"),
        (#"{"every": "1s", "send": {"body": "${id}"}}"#, "/send/body", "has ${id}, which 'take' does not define"),
        (#"{"every": "1s", "intervall": "1s", "send": {"body": "x"}}"#, "/intervall", "unknown member 'intervall'"),
    ])
    func beats(beat: String, pointer: String, sentence: String) { expect(#"{"beat": [\#(beat)]}"#, "/beat/0" + pointer, sentence) }

    @Test(arguments: [
        (#"{"within": "1s"}"#, "", "'on' is missing"),
        (#"{"on": {}}"#, "", #"'within' is missing; write for example "within": "10s" or "next_beat""#),
        (#"{"on": "any", "within": "1s"}"#, "/on", #"'any' is unknown; write "any_rx", "ping_frame" or "pong_frame""#),
        (#"{"on": {}, "within": "next"}"#, "/within", "'next' is no duration"),
        (
            #"{"on": {}, "within": "1s", "equal": {"/id": "id"}}"#, "/equal/~1id",
            #"'id' is unknown; write "counter", "unix_ms", "uuid" or "rand""#
        ),
        (
            #"{"on": {}, "within": "1s", "equal": {"/id": "uuid"}}"#, "/equal/~1id",
            "the beat does not send this value; put ${uuid} into its body"
        ),
        (
            #"{"on": {}, "within": "1s", "at_least": {"/id": "rand"}}"#, "/at_least/~1id",
            #"'rand' is unknown; write "counter" or "unix_ms""#
        ),
        (#"{"on": "any_rx", "within": "1s", "equal": {"/id": "counter"}}"#, "/equal", "looks into a message, so 'on' must be a match"),
        (#"{"on": {}, "within": "1s", "equal": {"id": "counter"}}"#, "/equal/id", "'id' is no JSON pointer: "),
    ])
    func acks(ack: String, pointer: String, sentence: String) {
        expect(#"{"beat": [{"every": "1s", "send": {"body": "${counter}"}, "ack": \#(ack)}]}"#, "/beat/0/ack" + pointer, sentence)
    }

    @Test(arguments: [
        (#"{"watch": [{"on": "any_rx"}]}"#, "/watch/0", "'within' is missing"),
        (#"{"watch": [{"on": "any_rx", "within": "next_beat"}]}"#, "/watch/0/within", "\"next_beat\" is for the ack of a beat"),
        (
            #"{"watch": [{"on": "any_rx", "within": "1s", "start": "now"}]}"#, "/watch/0/start",
            #"'now' is unknown; write "open" or "first""#
        ),
        (
            #"{"watch": [{"on": "any_rx", "within": "1s", "probe": "pong"}]}"#, "/watch/0/probe",
            #"'pong' is unknown; write "ping", "beat" or "none""#
        ),
        (#"{"watch": [{"on": "any_rx", "within": "1s", "probe": "beat"}]}"#, "/watch/0/probe", "there is no beat to send"),
        (#"{"setup": [{"send": {"body": "x"}}]}"#, "/setup/0", #"'on' is missing; write for example "on": "open""#),
        (#"{"setup": [{"on": "start", "send": {"body": "x"}}]}"#, "/setup/0/on", #"'start' is unknown; write "open""#),
        (#"{"setup": [{"on": "open", "send": {"body": "${payload}"}}]}"#, "/setup/0/send/body", "answers no message"),
        (#"{"setup": [{"on": {}, "send": {"body": "${payload}"}}]}"#, "/setup/0/send/body", "answers no message"),
        (#"{"learn": [{"on": {}, "var": "v"}]}"#, "/learn/0", "'path' is missing"),
        (#"{"learn": [{"on": {}, "path": "/v"}]}"#, "/learn/0", "'var' is missing"),
        (#"{"learn": [{"on": {}, "path": "/v", "var": "v", "dir": "both"}]}"#, "/learn/0/dir", #"'both' is unknown; write "in" or "out""#),
        (#"{"stamp": [{"on": {}, "path": "/v"}]}"#, "/stamp/0", "'unit' is missing"),
        (#"{"stamp": [{"on": {}, "path": "/v", "unit": "m"}]}"#, "/stamp/0/unit", #"write "iso8601", "s", "ms", "us" or "ns""#),
        (#"{"reconnect": {"max_age": "1d"}}"#, "/reconnect/max_age", "'1d' is no duration"),
        (#"{"reconnect": {"on": {}}}"#, "/reconnect/on", "must be an array, not an object"),
        (#"{"reconnect": {"url": "/u"}}"#, "/reconnect/url", "is taken from a message, so 'on' must say from which"),
        (
            #"{"beat": [{"every": "1s", "send": {"op": "ping", "hex": "\#(String(repeating: "00", count: 126))"}}]}"#, "/beat/0/send/hex",
            "has 126 bytes; a ping carries at most 125"
        ),
        (
            #"{"beat": [{"every": "1s", "send": {"op": "ping", "body": "\#(String(repeating: "p", count: 126))"}}]}"#, "/beat/0/send/body",
            "has 126 bytes"
        ),
        (
            #"{"beat": [{"every": "1s", "send": {"body": "x"}}, {"every": "2s", "send": {"body": "x"}}]}"#, "/beat/1",
            "sends the same as another beat"
        ),
        (#"{"send": "forbidden", "beat": [{"every": "1s", "send": {"body": "x"}}]}"#, "/beat", "sending is forbidden"),
        (#"{"send": "forbidden", "reply": [{"on": {}, "send": {"body": "x"}}]}"#, "/reply", "sending is forbidden"),
        (#"{"send": "forbidden", "setup": [{"on": "open", "send": {"body": "x"}}]}"#, "/setup", "sending is forbidden"),
        (#"{"send": "forbidden", "watch": [{"on": "any_rx", "within": "1s", "probe": "ping"}]}"#, "/watch/0/probe", "sending is forbidden"),
    ])
    func otherRules(rule: String, pointer: String, sentence: String) { expect(rule, pointer, sentence) }

    @Test func everythingIsBounded() {
        func list(_ count: Int, _ element: (Int) -> String) -> String { (0..<count).map(element).joined(separator: ", ") }
        let watch = #"{"on": "any_rx", "within": "1s"}"#
        expect(#"{"note": "\#(String(repeating: "x", count: 65536))"}"#, "", "at most 65536 are allowed")
        expect(#"{"watch": [\#(list(65) { _ in watch })]}"#, "/watch", "has 65 elements; at most 64 are allowed")
        #expect(error(of: #"{"watch": [\#(list(64) { _ in watch })]}"#) == nil)
        expect(
            #"{"watch": [{"on": [\#(list(65) { _ in "{}" })], "within": "1s"}]}"#, "/watch/0/on", "has 65 elements; at most 64 are allowed")
        expect(
            #"{"watch": [{"on": {"has": [\#(list(64) { "\"/\($0)\"" })], "lacks": ["/x"]}, "within": "1s"}]}"#, "/watch/0/on/lacks/0",
            "64 paths")
        #expect(error(of: #"{"watch": [{"on": {"has": [\#(list(64) { "\"/\($0)\"" })]}, "within": "1s"}]}"#) == nil)
        expect(
            #"{"learn": [\#(list(33) { #"{"on": {}, "path": "/a", "var": "v\#($0)"}"# })]}"#, "/learn/32/var",
            "'v32' is one more than the 32 variables")
        let taken = { (count: Int) in #"{"reply": [{"on": {}, "take": {\#(list(count) { "\"c\($0)\": \"/a\"" })}, "send": {"body": ""}}]}"#
        }
        expect(taken(33), "/reply/0/take", "has 33 members; at most 32 are allowed")
        #expect(error(of: taken(32)) == nil)
        let text = { (count: Int) in #"{"setup": [{"on": "open", "send": {"body": "\#(String(repeating: "x", count: count))"}}]}"# }
        expect(text(16385), "/setup/0/send/body", "has 16385 bytes; at most 16384 are allowed")
        #expect(error(of: text(16384)) == nil)
        let name = { (size: Int) in #"{"learn": [{"on": {}, "path": "/a", "var": "\#(String(repeating: "n", count: size))"}]}"# }
        expect(name(65), "/learn/0/var", "is no name")
        #expect(error(of: name(64)) == nil)
        let after = { (size: Int) in #"{"learn": [{"on": {}, "path": {"after": "\#(String(repeating: "n", count: size))"}, "var": "v"}]}"# }
        expect(after(257), "/learn/0/path/after", "is longer than 256 bytes")
        #expect(error(of: after(256)) == nil)
        let sections = { (depth: Int) in
            let body = String(repeating: "${?a}", count: depth) + String(repeating: "${/}", count: depth)
            return #"{"reply": [{"on": {}, "take": {"a": "/a"}, "send": {"body": "\#(body)"}}]}"#
        }
        #expect(error(of: sections(4)) == nil)
        expect(sections(5), "/reply/0/send/body", "nested deeper than 4")
    }

    /// Rules of each kind are counted over all documents.
    @Test func documentsShareTheBounds() {
        let watches = { (count: Int) in
            #"{"watch": [\#(Array(repeating: #"{"on": "any_rx", "within": "1s"}"#, count: count).joined(separator: ", "))]}"#
        }
        #expect(error(of: watches(32), watches(32)) == nil)
        #expect(error(of: watches(32), watches(33))?.pointer == Array("/watch".utf8))
        #expect(error(of: watches(32), preset: watches(33))?.pointer == Array("/watch".utf8))
    }

    private func expect(_ rule: String, _ pointer: String, _ sentence: String) {
        guard let error = error(of: rule) else {
            Issue.record("no error in \(rule)")
            return
        }
        #expect(String(decoding: error.pointer, as: UTF8.self) == pointer)
        #expect(error.sentence.contains(sentence), "\(error.sentence)")
    }
}
