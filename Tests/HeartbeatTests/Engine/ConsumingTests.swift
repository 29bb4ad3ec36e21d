/// Messages reach the application untouched, unless they are nothing but heartbeats and it does not want to see those.
import Heartbeat
import Testing
import WebSocket

struct ConsumingTests {
    /// A rule of each kind, all of them about JSON.
    static let everything = #"""
        {"setup": [{"on": {"has": ["/setup"]}, "send": {"body": "setup"}}],
         "learn": [{"on": {"has": ["/learn"]}, "path": "/learn", "var": "x"}],
         "reply": [{"on": {"json": {"/t": "ping"}}, "take": {"n": "/n"}, "send": {"body": "{\"pong\":1${?n},\"n\":${n}${/}}"}}],
         "beat": [{"every": "10s", "first": "now", "send": {"body": "beat"},
                   "ack": {"on": {"json": {"/t": "ack"}}, "within": "5s"}},
                  {"every": "7s", "start": {"has": ["/start"]}, "send": {"body": "started"}}],
         "watch": [{"on": {"json": {"/t": "hb"}}, "within": "60s"}],
         "stamp": [{"on": {"has": ["/ts"]}, "path": "/ts", "unit": "ms"}],
         "reconnect": {"on": [{"has": ["/bye"]}]}}
        """#

    private func harness(consumes: Bool = true) throws -> EngineHarness {
        let harness = try EngineHarness(Self.everything) { $0.consumesHeartbeats = consumes }
        harness.run(until: 0)
        return harness
    }

    @Test(arguments: [
        (#"{"t": "ping"}"#, true), (#"{"t": "ack"}"#, true), (#"{"t": "hb"}"#, true), (#"{"t": "data"}"#, false),
        (#"{"setup": 1}"#, false), (#"{"learn": 1}"#, false), (#"{"start": 1}"#, false), (#"{"ts": 1}"#, false), (#"{"bye": 1}"#, false),
        ("data", false), ("", false),
    ])
    func takesHeartbeatsAwayAndNothingElse(message: String, isHeartbeat: Bool) throws {
        #expect(try harness().receive(message) == isHeartbeat)
        #expect(try harness(consumes: false).receive(message) == false)
    }

    @Test(arguments: [("ask\nask\n", true), ("ask\ndata", false), ("data\nask", false), ("\n\n", false), ("ask", true)])
    func aMessageWithAnythingElseInItStays(message: String, isConsumed: Bool) throws {
        let harness = try EngineHarness(#"{"frame": {"split": "\n"}, "reply": [{"on": {"eq": "ask"}, "send": {"body": "answer"}}]}"#) {
            $0.consumesHeartbeats = true
        }
        #expect(harness.receive(message) == isConsumed)
    }

    @Test func partsAreNotLookedInto() throws {
        let harness = try harness()
        _ = harness.takeSent()
        harness.receivePart()
        harness.poll()
        #expect(harness.takeSent() == [])
        #expect(harness.takeNotes() == [])
    }

    /// Not JSON, nearly JSON, JSON and more, too deep; and JSON in the wrong kind of message.
    static let noJSON: [[UInt8]] =
        [
            #"{"t": "ping""#, #"{"t": "ping"}}"#, #"{"t": "ping",}"#, #"{"t": "ping"} {"t": "ping"}"#, #"{'t': 'ping'}"#, #"{t: "ping"}"#,
            #"{"t": "ping", "n": NaN}"#, #"{"t": "ping", "n": 01}"#, #"{"t": "ping", "n": "\x"}"#, #"{"t": "ping", "n": tru}"#,
            #"["t", "ping"]"#, #"{"t": ["ping"]}"#, #"{"T": "ping"}"#, #"{"t": "Ping"}"#, #"{"t": "pin"}"#, #""{\"t\": \"ping\"}""#,
            "\u{FEFF}{\"t\": \"ping\"}", "{\"t\": \"ping\"}\u{0}", "{\"t\": \"ping\n\"}", "null", "0", "ping", "", " ",
            #"{"t": "ping", "n": "# + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
        ].map { [UInt8]($0.utf8) } + [[0x00], [0x1F, 0x8B, 0x08], [0xFF, 0xFF, 0xFF]]

    @Test(arguments: noJSON)
    func whatIsNoJSONNeverMatches(message: [UInt8]) throws {
        let harness = try harness()
        _ = harness.takeSent()
        #expect(!harness.receive(message))
        #expect(!harness.receive(message, .binary))
        #expect(!harness.receive([UInt8](#"{"t": "ping"}"#.utf8), .binary))
        harness.poll()
        #expect(harness.takeSent() == [])
        #expect(harness.takeNotes() == [])
        #expect(harness.receive(#" {"n" : 7, "t":"p\u0069ng"} "#))
        #expect(harness.takeSent() == [#"0 {"pong":1,"n":7}"#])
    }

    @Test func whatCannotBeDecodedNeverMatches() throws {
        let harness = try EngineHarness(
            #"""
            {"frame": {"decode": ["gzip"]}, "reply": [{"on": {"op": "any", "prefix": "ask"}, "send": {"body": "answer"}}]}
            """#
        ) {
            $0.consumesHeartbeats = true
            $0.coder = MarkingCoder()
        }
        #expect(!harness.receive([UInt8]("ask".utf8), .binary))
        #expect(!harness.receive([], .binary))
        #expect(!harness.receive([UInt8]("?ask".utf8), .binary))
        #expect(harness.takeSent() == [])
        #expect(harness.receive([UInt8]("!ask".utf8), .binary))
        // Text is not compressed.
        #expect(harness.receive("ask"))
        #expect(!harness.receive("!ask"))
        #expect(harness.takeSent() == ["0 answer", "0 answer"])
    }

    @Test func codingsAreUndoneInTheirOrder() throws {
        let harness = try EngineHarness(
            #"""
            {"frame": {"decode": ["gzip", "zlib"]},
             "reply": [{"on": {"op": "any", "eq": "ask"}, "send": {"op": "binary", "body": "answer", "encode": ["zlib", "gzip"]}}]}
            """#
        ) { $0.coder = MarkingCoder() }
        harness.receive([UInt8]("!#ask".utf8), .binary)
        harness.receive([UInt8]("#!ask".utf8), .binary)
        #expect(harness.takeSent() == ["0 binary !#answer"])
    }
}

/// Puts a mark before what it encodes: "!" for gzip, "#" for zlib.
private final class MarkingCoder: BodyCoder {
    private func mark(_ coding: BodyCoding) -> UInt8 {
        switch coding {
        case .gzip: 0x21
        case .zlib: 0x23
        case .rawDeflate: 0x25
        }
    }

    func decode(_ coding: BodyCoding, _ input: UnsafeRawBufferPointer, into output: inout ByteQueue, sizeMax: Int) -> Bool {
        guard input.first == mark(coding), input.count - 1 <= sizeMax else { return false }
        output.removeAll()
        output.append(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
        return true
    }

    func encode(_ coding: BodyCoding, _ input: [UInt8]) -> [UInt8]? { [mark(coding)] + input }
}
