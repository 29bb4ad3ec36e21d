import Heartbeat
import Testing
import WebSocket

/// Compiles the program's own documents, then a preset.
func compile(_ own: String..., preset: String? = nil) throws -> RuleSet {
    var compiler = RuleCompiler()
    for text in own { try compiler.add(Array(text.utf8), asPreset: false) }
    if let preset { try compiler.add(Array(preset.utf8), asPreset: true) }
    return try compiler.finish()
}

/// What is wrong with the documents.
func error(of own: String..., preset: String? = nil) -> RuleError? {
    var compiler = RuleCompiler()
    do throws(RuleError) {
        for text in own { try compiler.add(Array(text.utf8), asPreset: false) }
        if let preset { try compiler.add(Array(preset.utf8), asPreset: true) }
        _ = try compiler.finish()
        return nil
    } catch {
        return error
    }
}

extension RuleError: CustomTestStringConvertible {
    public var testDescription: String { "\(String(decoding: pointer, as: UTF8.self)): \(sentence)" }
}

/// Runs `body` on the bytes as a unit.
func withUnit<Result>(_ bytes: [UInt8], kind: MessageKind = .text, _ body: (inout UnitView) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes { bytes in
        var unit = UnitView(bytes, kind: kind)
        return try body(&unit)
    }
}

/// True if the only reply of the rule set is for this message.
func replies(_ rules: RuleSet, to bytes: [UInt8], kind: MessageKind = .text) -> Bool {
    withUnit(bytes, kind: kind) { unit in rules.replies[0].on.holds(for: &unit, rules, JSONScanner()) }
}

func replies(_ rules: RuleSet, to text: String, kind: MessageKind = .text) -> Bool { replies(rules, to: Array(text.utf8), kind: kind) }

/// A rule set whose only reply is for this match.
func replying(on match: String) throws -> RuleSet {
    try compile(#"{"reply": [{"on": \#(match), "send": {"body": "x"}}]}"#)
}
