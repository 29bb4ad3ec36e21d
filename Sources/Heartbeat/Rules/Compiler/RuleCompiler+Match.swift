import WebSocket

/// Matches, triggers and captures.
extension RuleCompiler {
    package mutating func match(_ node: RuleNode) throws(RuleError) -> Match {
        guard case .array = node.value else { return Match([try condition(node)]) }
        let elements = try node.elements(limit: RuleLimit.alternatives)
        guard !elements.isEmpty else { throw node.error("has no alternative; write at least one object") }
        var alternatives: [Condition] = []
        for element in elements { alternatives.append(try condition(element)) }
        return Match(alternatives)
    }

    mutating func trigger(_ node: RuleNode) throws(RuleError) -> Trigger {
        guard case .string = node.value else { return .match(try match(node)) }
        return try node.word(of: "any_rx ping_frame pong_frame", [.anyReceived, .pingFrame, .pongFrame])
    }

    private mutating func condition(_ node: RuleNode) throws(RuleError) -> Condition {
        guard case .object = node.value else { throw node.error("must be an object of predicates, not \(node.kind)") }
        let object = try RuleObject(node, members: "op eq hex len prefix word json has lacks type empty")
        var condition = Condition()
        if let opcode = object["op"] { condition.opcode = try opcode.word(of: "text binary any", [.text, .binary, .any]) }
        if let text = object["eq"] { condition.equals = try text.text() }
        if let hex = object["hex"] {
            guard condition.equals == nil else { throw hex.error("a message cannot equal both 'eq' and 'hex'; leave one out") }
            condition.equals = try Self.bytes(hex)
        }
        if let length = object["len"] { condition.length = try length.integer(in: 0...RuleLimit.length) }
        if let prefix = object["prefix"] { condition.prefix = try prefix.text() }
        if let word = object["word"] { condition.word = try word.text() }
        if let empty = object["empty"] {
            guard case .bool(true) = empty.value else { throw empty.error("can only be true; leave it out otherwise") }
            condition.isEmptyObject = true
        }
        try addMemberTests(object, to: &condition)
        return condition
    }

    private mutating func addMemberTests(_ object: RuleObject, to condition: inout Condition) throws(RuleError) {
        var strings: [[UInt8]] = []
        var keys: [[UInt8]] = []
        for node in try object["json"]?.members(limit: RuleLimit.alternatives) ?? [] {
            let scalar = try Self.scalar(node)
            if case .string(let text) = scalar { strings.append(text) }
            keys += FilterLiterals.keys(of: node.name)
            condition.members.append(MemberTest(slot: try slot(node.name, node), .equals(scalar)))
        }
        for node in try object["type"]?.members(limit: RuleLimit.alternatives) ?? [] {
            let kind: JSONKind = try node.word(
                of: "number string object array bool null", [.number, .string, .object, .array, .bool, .null])
            keys += FilterLiterals.keys(of: node.name)
            condition.members.append(MemberTest(slot: try slot(node.name, node), .isOf(kind)))
        }
        for node in try object["has"]?.elements(limit: RuleLimit.alternatives) ?? [] {
            let path = try node.text()
            keys += FilterLiterals.keys(of: path)
            condition.members.append(MemberTest(slot: try slot(path, node), .exists))
        }
        for node in try object["lacks"]?.elements(limit: RuleLimit.alternatives) ?? [] {
            condition.members.append(MemberTest(slot: try slot(node.text(), node), .lacks))
        }
        if !condition.members.isEmpty { filter.add(strings: strings, keys: keys) }
    }

    private static func scalar(_ node: RuleNode) throws(RuleError) -> JSONScalar {
        switch node.value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .string(let text): return .string(text)
        case .number(let text):
            guard let decimal = JSONDecimal(text) else { throw node.error("'\(RuleNode.shown(text))' cannot be compared") }
            return .number(decimal)
        case .array, .object:
            throw node.error("must be a string, a number, true, false or null; for \(node.kind) use 'type' or a longer path")
        }
    }

    /// `node` is where the path was written.
    mutating func slot(_ path: [UInt8], _ node: RuleNode) throws(RuleError) -> Int {
        let slot: Int
        do throws(JSONPointerError) {
            slot = try parts.paths.slot(for: path)
        } catch {
            throw node.error("'\(RuleNode.shown(path))' is no JSON pointer: \(error.sentence)")
        }
        guard parts.paths.count <= RuleLimit.paths else { throw node.error("is one more than the \(RuleLimit.paths) paths allowed in all") }
        return slot
    }

    package mutating func capture(_ node: RuleNode) throws(RuleError) -> Capture {
        switch node.value {
        case .string(let text):
            if text == ASCII.bytes("payload") { return .payload }
            return .json(slot: try slot(text, node))
        case .object:
            return .text(try textCapture(node))
        case .null, .bool, .number, .array:
            throw node.error("must be a JSON pointer, \"payload\" or an object with 'after', not \(node.kind)")
        }
    }

    private func textCapture(_ node: RuleNode) throws(RuleError) -> TextCapture {
        let object = try RuleObject(node, members: "after until sep index")
        var capture = TextCapture(after: try object.required("after", "\"after\": \"interval=\"").searchedText())
        if let until = object["until"] {
            capture.until = try until.searchedText()
            if capture.until == [] { throw until.error("is empty; leave it out to capture up to the end") }
        }
        if let separator = object["sep"] {
            capture.separator = try separator.searchedText()
            if capture.separator == [] { throw separator.error("is empty; write for example \",\"") }
        }
        if let index = object["index"] {
            guard capture.separator != nil else { throw index.error("counts fields, so 'sep' must say what separates them") }
            capture.index = try index.integer(in: 0...RuleLimit.fieldIndex)
        }
        return capture
    }

    static func bytes(_ node: RuleNode) throws(RuleError) -> [UInt8] {
        let text = try node.text()
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text {
            guard let digit = ASCII.hexDigit(character) else {
                throw node.error("'\(RuleNode.shown(text))' is not hexadecimal; write two digits a byte, for example \"c000\"")
            }
            if let first = high {
                bytes.append(first &<< 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard high == nil else { throw node.error("has an odd number of digits; write two a byte, for example \"c000\"") }
        return bytes
    }
}
