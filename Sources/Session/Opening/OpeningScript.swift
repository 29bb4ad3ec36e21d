import Heartbeat
import WebSocket

/// What is sent and expected on every new connection before the application's messages: never changed, and shared by all connections of a
/// configuration. Sources/Session/Opening/README.md describes the language.
package final class OpeningScript {
    /// Steps, and their bytes, that one script may hold.
    package static let stepsMax = 32
    package static let sizeMax = 256 << 10

    package let steps: [OpeningStep]
    /// What the steps' matches and captures look for, and the names that are learned.
    let rules: RuleSet
    /// The steps as they were written.
    private let texts: [[UInt8]]

    /// The script with one step more, which is the first if there is none. The caller has seen that there is room.
    package static func adding(_ text: [UInt8], to script: OpeningScript?) throws(RuleError) -> OpeningScript {
        try OpeningScript((script?.texts ?? []) + [text])
    }

    private init(_ texts: [[UInt8]]) throws(RuleError) {
        var compiler = OpeningCompiler()
        for text in texts { try compiler.add(text) }
        steps = compiler.steps
        rules = try compiler.rules.finish()
        self.texts = texts
    }

    package func hasRoom(for text: [UInt8]) -> Bool {
        texts.count < Self.stepsMax && texts.reduce(text.count) { $0 + $1.count } <= Self.sizeMax
    }

    package var sends: Bool { steps.contains { if case .send = $0 { true } else { false } } }

    /// True if anything is written in a compressed form.
    package var usesCoding: Bool { steps.contains { if case .send(let rule) = $0 { !rule.encode.isEmpty } else { false } } }
}

package enum OpeningStep {
    case send(SendRule)
    case expect(OpeningExpectation)
}

package final class OpeningExpectation {
    let match: Match
    /// A message that refuses what was asked for.
    let fail: Match?
    /// What later steps send of the message.
    let learns: [LearnRule]
    /// Nil: as the property script.timeout says.
    let timeout: Interval?

    init(_ match: Match, fail: Match?, learns: [LearnRule], timeout: Interval?) {
        self.match = match
        self.fail = fail
        self.learns = learns
        self.timeout = timeout
    }
}
