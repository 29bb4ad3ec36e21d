import Heartbeat
import WebSocket

/// Compiles the steps of an opening script one by one, with the rule language's compiler for all that the languages share.
struct OpeningCompiler {
    private(set) var rules = RuleCompiler()
    private(set) var steps: [OpeningStep] = []
    /// What the steps so far learn.
    private var learned: [Int] = []

    mutating func add(_ text: [UInt8]) throws(RuleError) {
        let step = try RuleObject(RuleCompiler.document(text), members: "send expect timeout learn fail")
        if let expect = step["expect"] {
            if let send = step["send"] { throw send.error("is a step of its own; add it before or after the one with 'expect'") }
            steps.append(.expect(try expectation(step, expect)))
        } else {
            if let member = step["timeout"] ?? step["learn"] ?? step["fail"] {
                throw member.error("goes with 'expect', which this step lacks")
            }
            steps.append(.send(try send(step)))
        }
    }

    private mutating func expectation(_ step: RuleObject, _ expect: RuleNode) throws(RuleError) -> OpeningExpectation {
        let match = try rules.match(expect)
        var fail: Match?
        if let node = step["fail"] { fail = try rules.match(node) }
        var timeout: Interval?
        if let node = step["timeout"] { timeout = try RuleCompiler.interval(node) }
        var learns: [LearnRule] = []
        for node in try step["learn"]?.members(limit: RuleLimit.captures) ?? [] {
            let target = try rules.target(node.name, node)
            if case .variable(let variable) = target { learned.append(variable) }
            learns.append(LearnRule(on: match, capture: try rules.capture(node), target: target, isOutgoing: false))
        }
        return OpeningExpectation(match, fail: fail, learns: learns, timeout: timeout)
    }

    private mutating func send(_ step: RuleObject) throws(RuleError) -> SendRule {
        guard let node = step["send"] else {
            throw step.node.error("needs 'send' or 'expect'; write for example {\"send\": {\"body\": \"hello\"}}")
        }
        let send = try rules.send(step)
        if case .ping = send.opcode { throw node.error("sends a ping; a step sends a message, so 'op' must be \"text\" or \"binary\"") }
        for case .last(let variable, nil) in send.body.pieces where !learned.contains(variable) {
            throw node.error("has a ${last.NAME} that no step before it learns; add 'learn' to an 'expect', or write ${last.NAME|default}")
        }
        return send
    }
}
