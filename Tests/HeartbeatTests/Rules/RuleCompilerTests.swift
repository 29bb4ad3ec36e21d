import Foundation
import Heartbeat
import Testing
import WebSocket

struct RuleCompilerTests {
    @Test func anEmptyDocumentHasNoRules() throws {
        let rules = try compile("{}")
        #expect(rules.setups.isEmpty && rules.learns.isEmpty && rules.replies.isEmpty && rules.beats.isEmpty && rules.watches.isEmpty)
        #expect(rules.stamps.isEmpty && rules.reconnect.on.isEmpty && rules.reconnect.ageMax == nil && !rules.isSendForbidden)
        #expect(rules.frame.decode.isEmpty && rules.frame.split == nil)
    }

    @Test func membersThatAreNullAreAbsent() throws {
        let rules = try compile(
            #"""
            {"frame": null, "send": null, "note": null, "replace": null, "reconnect": {"max_age": null, "on": null, "url": null},
             "beat": [{"every": "1s", "first": null, "when": null, "start": null, "ack": null,
                       "send": {"body": "x", "hex": null, "op": null}}],
             "watch": [{"on": {"op": null, "eq": null, "json": null}, "within": {"var": "v", "unit": "s", "mul": null}}]}
            """#)
        #expect(rules.beats.count == 1 && rules.watches.count == 1)
    }

    @Test func remarksAreAllowedWhereTheyBelong() throws {
        _ = try compile(
            #"""
            {"src": "doc", "note": "n", "reply_frame": "pong", "reconnect": {"attempts": "300/5m", "src": "s"}, "frame": {"note": "n"},
             "beat": [{"every": "1s", "send": {"body": "x"}, "src": "s", "note": "n", "on_miss": "resume"}],
             "watch": [{"on": "any_rx", "within": "1s", "src": "s"}], "setup": [{"on": "open", "send": {"body": "x"}, "note": "n"}],
             "reply": [{"on": {}, "send": {"body": "x"}, "src": "s"}], "learn": [{"on": {}, "path": "/a", "var": "v", "src": "s"}],
             "stamp": [{"on": {}, "path": "/a", "unit": "s", "note": "n"}]}
            """#)
        #expect(error(of: #"{"on_miss": "x"}"#)?.pointer == Array("/on_miss".utf8))
    }

    @Test func readsAllOfABeat() throws {
        let rules = try compile(
            #"""
            {"beat": [{"every": {"var": "hb", "unit": "ms", "min_ms": 5, "max_ms": 9000, "mul": 0.75, "add_ms": 3, "add_var": "more",
                                 "default_ms": 30000},
                       "first": "jitter", "when": "idle_any", "start": {"eq": "go"},
                       "send": {"op": "binary", "hex": "C0fF", "encode": ["zlib", "gzip"]},
                       "ack": {"on": "pong_frame", "within": "next_beat"}}]}
            """#)
        let beat = rules.beats[0]
        guard case .learned(let every) = beat.every else { fatalError("no learned interval") }
        #expect(rules.variables == [Array("hb".utf8), Array("more".utf8)])
        #expect(every.variable == 0 && every.addedVariable == 1 && every.unit == .milliseconds(1))
        #expect(every.lowerBound == .milliseconds(5) && every.upperBound == .seconds(9) && every.factor == 0.75)
        #expect(every.addend == .milliseconds(3) && every.fallback == .seconds(30))
        #expect(beat.first == .jitter && beat.when == .idle)
        #expect(beat.send.body == Template([.literal([0xC0, 0xFF])]) && beat.send.opcode == .binary && beat.send.encode == [.zlib, .gzip])
        guard case .match(let start) = beat.start else { fatalError("no match") }
        #expect(start.alternatives[0].equals == Array("go".utf8))
        guard let ack = beat.ack, case .pongFrame = ack.on, case .nextBeat = ack.within else { fatalError("another ack") }
    }

    @Test(arguments: [("1ms", Int64(1)), ("500ms", 500), ("20s", 20_000), ("5m", 300_000), ("24h", 86_400_000), ("168h", 604_800_000)])
    func readsDurations(text: String, milliseconds: Int64) throws {
        let rules = try compile(#"{"watch": [{"on": "any_rx", "within": "\#(text)"}]}"#)
        #expect(rules.watches[0].within.evaluate { _ in nil } == .known(.milliseconds(milliseconds)))
    }

    @Test func readsTheOtherRules() throws {
        let rules = try compile(
            #"""
            {"frame": {"decode": ["gzip", "raw_deflate"], "split": "\u001e"},
             "learn": [{"on": {}, "path": "/id", "var": "counter", "dir": "out"}],
             "setup": [{"on": {"eq": "hi"}, "send": {"body": "${counter}"}}, {"on": "open", "send": {"body": "x"}}],
             "watch": [{"on": "any_rx", "within": "1s", "start": "first", "probe": "none"}],
             "stamp": [{"on": {}, "path": "/ts", "unit": "us"}],
             "reconnect": {"max_age": "24h", "on": [{"eq": "bye"}, [{"eq": "a"}, {"eq": "b"}]], "url": "/url"}}
            """#)
        #expect(rules.frame.decode == [.gzip, .rawDeflate] && rules.frame.split == .recordSeparator)
        guard case .counter = rules.learns[0].target else { fatalError("no counter") }
        #expect(rules.learns[0].isOutgoing)
        #expect(rules.setups[0].on != nil && rules.setups[1].on == nil)
        guard case .firstSeen = rules.watches[0].start else { fatalError("another start") }
        #expect(rules.watches[0].probe == .none)
        #expect(rules.stamps[0].unit == .microseconds)
        #expect(rules.reconnect.ageMax == .seconds(86_400) && rules.reconnect.on.map(\.alternatives.count) == [1, 2])
        #expect(rules.reconnect.url != nil)
    }

    @Test(arguments: [
        ("\n", UnitSplit.lineFeed), ("\r\n", .carriageReturnLineFeed), ("\u{1E}", .recordSeparator), ("tv", .tradingView),
        ("varint", .varint), ("mqtt", .mqtt),
    ])
    func readsSplits(text: String, split: UnitSplit) throws {
        let written = String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
        #expect(try compile(#"{"frame": {"split": \#(written)}}"#).frame.split == split)
    }

    // MARK: Several documents

    private static let preset = #"""
        {"setup": [{"on": "open", "send": {"body": "p"}}], "learn": [{"on": {}, "path": "/p", "var": "p"}],
         "reply": [{"on": {}, "send": {"body": "p"}}], "beat": [{"every": "1s", "send": {"body": "p"}}],
         "watch": [{"on": "any_rx", "within": "2s"}], "stamp": [{"on": {}, "path": "/p", "unit": "s"}],
         "reconnect": {"max_age": "1h", "on": [{"eq": "p"}], "url": "/p"}}
        """#

    @Test func onesOwnRulesComeFirst() throws {
        let own =
            #"{"reply": [{"on": {}, "send": {"body": "own"}}], "reconnect": {"max_age": "2h", "on": [{"eq": "own"}], "url": "payload"}}"#
        let rules = try compile(own, preset: Self.preset)
        #expect(rules.replies.map(\.send.body) == [Template([.literal(Array("own".utf8))]), Template([.literal(Array("p".utf8))])])
        #expect(rules.reconnect.ageMax == .seconds(7200))
        #expect(rules.reconnect.on.map { $0.alternatives[0].equals } == [Array("own".utf8), Array("p".utf8)])
        guard case .payload? = rules.reconnect.url else { fatalError("the preset's URL") }
    }

    @Test func replacedMembersOfThePresetAreLeftOut() throws {
        let all = try compile(#"{"replace": ["beat", "reply", "watch", "setup", "learn", "reconnect", "stamp"]}"#, preset: Self.preset)
        #expect(all.setups.isEmpty && all.learns.isEmpty && all.replies.isEmpty && all.beats.isEmpty && all.watches.isEmpty)
        #expect(all.stamps.isEmpty && all.reconnect.on.isEmpty && all.reconnect.ageMax == nil && all.reconnect.url == nil)
        #expect(all.variables.isEmpty)
        let beat = try compile(#"{"replace": ["beat"], "beat": [{"every": "3s", "send": {"body": "p"}}]}"#, preset: Self.preset)
        #expect(beat.beats.count == 1 && beat.watches.count == 1 && beat.replies.count == 1)
        #expect(beat.beats[0].every.evaluate { _ in nil } == .known(.seconds(3)))
    }

    @Test func onesOwnDocumentsReplaceNothingOfEachOther() throws {
        #expect(try compile(#"{"replace": ["watch"]}"#, Self.preset).watches.count == 1)
        #expect(error(of: "{}", preset: #"{"replace": ["beat"]}"#)?.pointer == Array("/replace".utf8))
    }

    @Test func documentsShareOneFrame() throws {
        let gzip = #"{"frame": {"decode": ["gzip"]}}"#
        #expect(try compile(gzip, preset: "{}").frame.decode == [.gzip])
        #expect(try compile("{}", preset: gzip).frame.decode == [.gzip])
        #expect(try compile(gzip, preset: gzip).frame.decode == [.gzip])
        #expect(error(of: gzip, preset: #"{"frame": {"decode": ["zlib"]}}"#)?.pointer == Array("/frame".utf8))
        #expect(error(of: gzip, preset: #"{"frame": {"decode": ["gzip"], "split": "tv"}}"#)?.pointer == Array("/frame".utf8))
    }

    @Test func aDocumentThatForbidsSendingForbidsItToAll() throws {
        let forbidden = #"{"send": "forbidden", "watch": [{"on": "any_rx", "within": "1s"}]}"#
        #expect(try compile(forbidden).watches[0].probe == .none)
        #expect(try compile(#"{"watch": [{"on": "any_rx", "within": "1s"}]}"#).watches[0].probe == .ping)
        let beat = #"{"beat": [{"every": "1s", "send": {"body": "x"}}]}"#
        #expect(error(of: beat, preset: forbidden)?.pointer == Array("/send".utf8))
        #expect(error(of: forbidden, beat)?.pointer == Array("/beat".utf8))
    }

    @Test func beatsThatSendTheSameConflict() throws {
        let beat = #"{"beat": [{"every": "1s", "send": {"body": "p"}}]}"#
        #expect(error(of: beat, preset: Self.preset)?.pointer == Array("/beat/0".utf8))
        #expect(error(of: beat, #"{"beat": [{"every": "1s", "send": {"op": "binary", "body": "p"}}]}"#) == nil)
    }

    @Test func aProbeByBeatNeedsABeatOfAnyDocument() throws {
        let watch = #"{"watch": [{"on": "any_rx", "within": "1s", "probe": "beat"}]}"#
        #expect(error(of: watch)?.pointer == Array("/watch/0/probe".utf8))
        #expect(try compile(watch, preset: Self.preset).watches[0].probe == .beat)
    }

    @Test func aWrongDocumentChangesNothing() throws {
        var compiler = RuleCompiler()
        #expect(throws: RuleError.self) {
            try compiler.add(Array(#"{"watch": [{"on": {"has": ["/a"]}, "within": "1s"}], "stamp": 5}"#.utf8), asPreset: false)
        }
        let rules = try compiler.finish()
        #expect(rules.watches.isEmpty && rules.paths.count == 0)
    }

    // MARK: The filter

    @Test(arguments: [
        (
            #"[{"json": {"/method": "heartbeat", "/params/type": "test_request"}}, {"json": {"/method": "heartbeat"}}]"#,
            #"{"m":"heartbeat"}"#,
            true
        ),
        (
            #"[{"json": {"/method": "heartbeat", "/params/type": "test_request"}}, {"json": {"/method": "heartbeat"}}]"#,
            #"{"method":"test_request"}"#,
            false
        ),
        (#"{"json": {"/type": "ping"}}"#, #"{"type":"data"}"#, false),
        (#"{"json": {"/op": 10}}"#, #"{"op":1}"#, true),
        (#"{"json": {"/op": 10}}"#, #"{"o":10}"#, false),
        (#"{"has": ["/connect/ping"]}"#, #"{"connect":1}"#, true),
        (#"{"has": ["/connect/ping"]}"#, #"{"ping":1}"#, false),
        (#"{"type": {"/0/1": "array"}}"#, "5", true),
        (#"{"lacks": ["/a"]}"#, "5", true),
        (#"{"lacks": ["/a"], "has": ["/b"]}"#, "5", false),
        (#"{"has": ["/a~1b"]}"#, #"{"a/b":1}"#, true),
        (#"{"has": ["/a~1b"]}"#, #"{"a~1b":1}"#, false),
        (#"{"has": ["/d/!/x"]}"#, #"{"d":"{\"x\":1}"}"#, true),
        (#"{"eq": "x"}"#, "x", false),
        ("{}", #"{"a":"\n"}"#, false),
        (#"{"json": {"/t": "ping"}}"#, #"{"t":"\u0070ing"}"#, true),
    ])
    func theFilterPassesWhatConditionsOnJSONAskFor(match: String, message: String, passes: Bool) throws {
        let rules = try replying(on: match)
        #expect(Array(message.utf8).withUnsafeBytes { rules.filter.mayMatch($0) } == passes)
    }

    // MARK: Presets and transcripts

    @Test func theRuleOfEachTranscriptCompiles() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let data = try Data(contentsOf: tests.appendingPathComponent("Transcripts/heartbeats.json"))
        let transcripts = try #require(try JSONSerialization.jsonObject(with: data) as? [[String: Any]])
        var count = 0
        for transcript in transcripts {
            guard let rule = transcript["rule"] as? [String: Any] else { continue }
            let text = [UInt8](try JSONSerialization.data(withJSONObject: rule))
            let problem = error(of: String(decoding: text, as: UTF8.self))
            #expect(problem == nil, "\(transcript["id"] ?? "")")
            count += 1
        }
        #expect(count > 100)
    }

    @Test func eachPresetCompiles() throws {
        for preset in PresetTable.presets {
            #expect(error(of: "{}", preset: preset.rule.description) == nil, "\(preset.name)")
        }
    }
}
