import WebSocket

/// Lengths of time, and the names of what they are learned from.
extension RuleCompiler {
    mutating func duration(_ node: RuleNode) throws(RuleError) -> DurationRule {
        switch node.value {
        case .string:
            return .fixed(try Self.interval(node))
        case .object:
            return .learned(try learnedDuration(node))
        case .null, .bool, .number, .array:
            throw node.error("must be a duration such as \"20s\", or an object with 'var' and 'unit', not \(node.kind)")
        }
    }

    package static func interval(_ node: RuleNode) throws(RuleError) -> Interval {
        let text = try node.text()
        let digits = text.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty, let unit = ASCII.words("ms s m h").firstIndex(of: [UInt8](text[digits.endIndex...])) else {
            throw node.error("'\(RuleNode.shown(text))' is no duration; write for example \"20s\", \"500ms\", \"5m\" or \"24h\"")
        }
        let factor: Int64 = [1, 1000, 60_000, 3_600_000][unit]
        let intervalMaxMs = RuleLimit.intervalMax.nanoseconds / 1_000_000
        guard let count = ASCII.decimal(digits, max: UInt64(intervalMaxMs / factor)), count > 0 else {
            throw node.error("'\(RuleNode.shown(text))' is out of range; it must be from 1ms to 7 days (168h)")
        }
        return .milliseconds(Int64(count) * factor)
    }

    private mutating func learnedDuration(_ node: RuleNode) throws(RuleError) -> LearnedDuration {
        let object = try RuleObject(node, members: "var unit min_ms max_ms mul add_ms add_var default_ms")
        let variable = try variable(object.required("var", "\"var\": \"interval\""))
        let unit: Interval = try object.required("unit", "\"unit\": \"s\" or \"ms\"").word(of: "s ms", [.seconds(1), .milliseconds(1)])
        var duration = LearnedDuration(variable: variable, unit: unit)
        if let bound = object["min_ms"] { duration.lowerBound = try bound.milliseconds(from: 1) }
        if let bound = object["max_ms"] {
            let upperBound = try bound.milliseconds(from: 1)
            if let lowerBound = duration.lowerBound, lowerBound > upperBound { throw bound.error("is less than 'min_ms'") }
            duration.upperBound = upperBound
        }
        if let factor = object["mul"] { duration.factor = try Self.factor(factor) }
        if let addend = object["add_ms"] { duration.addend = try addend.milliseconds(from: 0) }
        if let added = object["add_var"] { duration.addedVariable = try self.variable(added) }
        if let fallback = object["default_ms"] { duration.fallback = try fallback.milliseconds(from: 1) }
        return duration
    }

    private static func factor(_ node: RuleNode) throws(RuleError) -> Double {
        guard case .number(let text) = node.value else { throw node.error("must be a number, not \(node.kind)") }
        guard let factor = DecimalText(quotable: text)?.scaled(by: 1), factor > 0, factor <= RuleLimit.factor else {
            throw node.error("'\(RuleNode.shown(text))' is out of range; it must be more than 0 and at most 1000")
        }
        return factor
    }

    private mutating func variable(_ node: RuleNode) throws(RuleError) -> Int {
        let name = try node.text()
        guard name != ASCII.bytes("counter") else { throw node.error("the counter is no length of time; learn it into another variable") }
        return try variable(name, node)
    }

    /// `node` is where the name was written.
    mutating func variable(_ name: [UInt8], _ node: RuleNode) throws(RuleError) -> Int {
        try Self.checkName(name, node)
        if let index = parts.variables.firstIndex(of: name) { return index }
        guard parts.variables.count < RuleLimit.variables else {
            throw node.error("'\(RuleNode.shown(name))' is one more than the \(RuleLimit.variables) variables allowed in all")
        }
        parts.variables.append(name)
        return parts.variables.count - 1
    }

    static func checkName(_ name: [UInt8], _ node: RuleNode) throws(RuleError) {
        let isName = name.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
            default: false
            }
        }
        guard isName, !name.isEmpty, name.count <= RuleLimit.nameSize else {
            throw node.error("'\(RuleNode.shown(name))' is no name; write up to \(RuleLimit.nameSize) letters, digits, '_' and '-'")
        }
    }
}
