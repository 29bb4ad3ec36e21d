import Foundation
import Heartbeat
import Testing

struct PresetTableTests {
    @Test func eachPresetIsFoundByItsName() {
        for preset in PresetTable.presets {
            let found = PresetTable.find([UInt8](preset.name.description.utf8))
            #expect(found.preset?.rule.description == preset.rule.description)
            #expect(found.suggestion == nil)
        }
    }

    @Test func namesAreUniqueAndEasyToType() {
        let names = PresetTable.presets.map(\.name.description)
        #expect(Set(names).count == names.count)
        for name in names { #expect(name.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil, "\(name)") }
    }

    @Test(arguments: [
        ("deribt", "deribit"), ("kraken-v3", "kraken-v1"), ("bybit", "bybit-v5"), ("coinbase", "coinbase-exchange"), ("Discord", "discord"),
        ("engineio", "engineio-v4"), ("nothing-like-it", nil), ("", nil),
    ])
    func suggestsTheNearestName(name: String, suggestion: String?) {
        let found = PresetTable.find([UInt8](name.utf8))
        #expect(found.preset?.name.description == nil)
        #expect(found.suggestion == suggestion)
    }

    @Test func textsAreLines() {
        for preset in PresetTable.presets {
            for text in [preset.services, preset.source] + preset.parameters.map(\.doc) {
                #expect(text.utf8CodeUnitCount > 0 && !text.description.contains("\n"), "\(preset.name)")
            }
        }
    }

    @Test func rulesAreJSONWithTheMembersOfTheLanguage() throws {
        let members: Set = ["frame", "setup", "learn", "reply", "beat", "watch", "reconnect", "send", "reply_frame"]
        for preset in PresetTable.presets {
            let rule = try PresetRule(preset)
            #expect(!rule.members.isEmpty && members.isSuperset(of: rule.members.keys), "\(preset.name)")
        }
    }

    @Test func parametersAreTheVariablesThatNothingIsLearnedInto() throws {
        for preset in PresetTable.presets {
            let rule = try PresetRule(preset)
            #expect(rule.variables.subtracting(rule.learned) == Set(preset.parameters.map(\.name.description)), "\(preset.name)")
        }
    }

    /// Without an optional parameter each text is sent all the same, with what the doc says.
    @Test func parametersAreRequiredWhereATextCannotDoWithout() throws {
        for preset in PresetTable.presets {
            let rule = try PresetRule(preset)
            for parameter in preset.parameters {
                let name = parameter.name.description
                let defaults = rule.defaults(of: name)
                #expect(!parameter.isRequired || defaults.isEmpty, "\(preset.name) \(name)")
                #expect(parameter.isRequired || !rule.text.contains("${last.\(name)}"), "\(preset.name) \(name)")
                for value in defaults { #expect(parameter.doc.description.contains("\(value) if not given"), "\(preset.name) \(name)") }
            }
        }
    }

    @Test func eachTranscriptIsOfAPresetThatHasItsRule() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let file = try Data(contentsOf: tests.appendingPathComponent("Transcripts/heartbeats.json"))
        let transcripts = try #require(JSONSerialization.jsonObject(with: file) as? [[String: Any]])
        #expect(!transcripts.isEmpty)
        for transcript in transcripts {
            guard let expected = transcript["rule"] as? [String: Any] else { continue }
            let entry = try #require(transcript["entry"] as? String)
            let preset = try #require(PresetTable.find([UInt8](entry.utf8)).preset, "\(entry)")
            let rule = try PresetRule(preset)
            #expect(rule.withoutParameters == PresetRule.withDurationsInMilliseconds(expected), "\(entry)")
        }
    }
}

/// A preset's rule as Foundation reads it.
private struct PresetRule {
    let members: [String: Any]
    let text: String
    private let parameters: Set<String>

    init(_ preset: Preset) throws {
        text = preset.rule.description
        parameters = Set(preset.parameters.map(\.name.description))
        members = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(preset.name)")
    }

    var learned: Set<String> {
        Set((members["learn"] as? [[String: Any]] ?? []).compactMap { $0["var"] as? String })
    }

    /// What durations and templates refer to; `${counter}` is no variable, though values are learned into it.
    var variables: Set<String> {
        var found = learned.subtracting(["counter"])
        for use in text.matches(of: /\$\{last\.(\w+)/) { found.insert(String(use.1)) }
        for duration in Self.durations(in: members) {
            for name in ["var", "add_var"] { if let name = duration[name] as? String { found.insert(name) } }
        }
        return found
    }

    /// The computed durations anywhere in a value: objects with a unit.
    private static func durations(in value: Any) -> [[String: Any]] {
        switch value {
        case let members as [String: Any]: (members["unit"] == nil ? [] : [members]) + members.values.flatMap(durations)
        case let elements as [Any]: elements.flatMap(durations)
        default: []
        }
    }

    /// As the texts of the rule write them, and as its durations do for a parameter that they do not multiply.
    func defaults(of parameter: String) -> Set<String> {
        var found: Set<String> = []
        for use in text.matches(of: /\$\{last\.(\w+)\|([^}]*)\}/) where use.1 == parameter { found.insert(String(use.2)) }
        for duration in Self.durations(in: members) where duration["var"] as? String == parameter && duration["mul"] == nil {
            guard let milliseconds = duration["default_ms"] as? Int else { continue }
            found.insert(String(duration["unit"] as? String == "s" ? milliseconds / 1000 : milliseconds))
        }
        return found
    }

    /// The rule as it is for an application that gives no optional parameter.
    var withoutParameters: NSDictionary {
        Self.withDurationsInMilliseconds(resolved(members) as? [String: Any] ?? [:])
    }

    private func resolved(_ value: Any) -> Any {
        switch value {
        case let members as [String: Any]:
            if let name = members["var"] as? String, parameters.contains(name), let fallback = members["default_ms"] { return fallback }
            return members.mapValues(resolved)
        case let elements as [Any]: return elements.map(resolved)
        case let text as String:
            return text.replacing(/\$\{last\.(\w+)\|([^}]*)\}/) { parameters.contains(String($0.1)) ? $0.2 : $0.0 }
        default: return value
        }
    }

    /// "60s" and what a default says in milliseconds are the same.
    static func withDurationsInMilliseconds(_ members: [String: Any]) -> NSDictionary {
        func converted(_ value: Any) -> Any {
            switch value {
            case let members as [String: Any]: members.mapValues(converted)
            case let elements as [Any]: elements.map(converted)
            case let text as String:
                if let duration = text.wholeMatch(of: /(\d+)(ms|s|m|h)/), let count = Int(duration.1) {
                    count * (["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000][duration.2] ?? 0)
                } else {
                    text
                }
            default: value
            }
        }
        return NSDictionary(dictionary: members.mapValues(converted))
    }
}
