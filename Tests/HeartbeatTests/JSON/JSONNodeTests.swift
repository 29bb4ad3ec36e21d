import Heartbeat
import Testing

struct JSONNodeTests {
    /// The tree written out in a form of its own.
    private func outline(_ node: JSONNode) -> String {
        switch node {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): "#" + String(decoding: text, as: UTF8.self)
        case .string(let content): "<" + String(decoding: content, as: UTF8.self) + ">"
        case .array(let elements): "[" + elements.map(outline).joined(separator: " ") + "]"
        case .object(let members):
            "{" + members.map { String(decoding: $0.key, as: UTF8.self) + "=" + outline($0.value) }.joined(separator: " ") + "}"
        }
    }

    @Test func buildsTheTree() throws {
        let cases = [
            ("null", "null"), (" true ", "true"), ("false", "false"), ("-1.50E+3", "#-1.50E+3"), (#""""#, "<>"), ("[]", "[]"),
            ("{ }", "{}"),
            (#"[1, "a", [null, {}], {"b": [true]}]"#, "[#1 <a> [null {}] {b=[true]}]"),
            (#"{"b":1,"a":{"c":"\u0064\n"},"b":2,"\u0062":3}"#, "{b=#1 a={c=<d\n>} b=#2 b=#3}"),
            (#""\ud83e\udec0 \"\\\/ é""#, "<🫀 \"\\/ é>"), (#"{"":0}"#, "{=#0}"),
        ]
        for (text, expected) in cases { #expect(outline(try JSONNode.parse(Array(text.utf8))) == expected, "\(text)") }
    }

    @Test func keepsLoneSurrogatesApart() throws {
        let cases: [(String, [UInt8])] = [
            (#""\ud83e""#, [0xED, 0xA0, 0xBE]), (#""\udec0x""#, [0xED, 0xBB, 0x80, 0x78]),
            (#""\ud83e\ud83e\udec0""#, [0xED, 0xA0, 0xBE, 0xF0, 0x9F, 0xAB, 0x80]),
        ]
        for (text, expected) in cases {
            guard case .string(let content) = try JSONNode.parse(Array(text.utf8)) else { return #expect(Bool(false), "no string") }
            #expect(content == expected)
        }
    }
}
