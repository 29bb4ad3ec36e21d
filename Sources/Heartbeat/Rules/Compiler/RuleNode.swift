import WebSocket

/// A value in a rule document and the place where it stands. Reads what is expected there, or says what is wrong.
package final class RuleNode {
    package let value: JSONNode
    /// The member's name or the element's index; empty for the whole document.
    package let name: [UInt8]
    let pointer: [UInt8]

    init(_ value: JSONNode, _ name: [UInt8] = [], at pointer: [UInt8] = []) {
        self.value = value
        self.name = name
        self.pointer = pointer
    }

    @inline(never)
    package func error(_ sentence: String) -> RuleError { RuleError(pointer: pointer, sentence: sentence) }

    private func child(_ name: [UInt8], _ value: JSONNode) -> RuleNode {
        var pointer = pointer
        pointer.append(0x2F)
        for byte in name {
            let isEscaped = byte == 0x7E || byte == 0x2F
            if isEscaped { pointer.append(0x7E) }
            // RFC 6901 section 3: ~ is ~0, and / is ~1.
            pointer.append(isEscaped ? (byte == 0x7E ? 0x30 : 0x31) : byte)
        }
        return RuleNode(value, name, at: pointer)
    }

    /// The members of an object of any names.
    package func members(limit: Int) throws(RuleError) -> [RuleNode] {
        guard case .object(let pairs) = value else { throw error("must be an object, not \(kind)") }
        guard pairs.count <= limit else { throw error("has \(pairs.count) members; at most \(limit) are allowed") }
        var result: [RuleNode] = []
        for pair in pairs {
            let node = child(pair.key, pair.value)
            guard !result.contains(where: { $0.name == pair.key }) else { throw node.error("is given twice; leave one out") }
            result.append(node)
        }
        return result
    }

    func elements(limit: Int) throws(RuleError) -> [RuleNode] {
        guard case .array(let values) = value else { throw error("must be an array, not \(kind)") }
        guard values.count <= limit else { throw error("has \(values.count) elements; at most \(limit) are allowed") }
        var result: [RuleNode] = []
        for (index, value) in values.enumerated() { result.append(child("\(index)".bytes, value)) }
        return result
    }

    func text() throws(RuleError) -> [UInt8] {
        guard case .string(let text) = value else { throw error("must be a string, not \(kind)") }
        return text
    }

    /// A text that a capture looks for.
    func searchedText() throws(RuleError) -> [UInt8] {
        let text = try text()
        guard text.count <= RuleLimit.searchedSize else { throw error("is longer than \(RuleLimit.searchedSize) bytes") }
        return text
    }

    func integer(in range: ClosedRange<Int>) throws(RuleError) -> Int {
        guard case .number(let text) = value else { throw error("must be a whole number, not \(kind)") }
        guard let number = ASCII.decimal(text, max: UInt64(range.upperBound)), number >= range.lowerBound else {
            throw error("'\(Self.shown(text))' is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    func milliseconds(from least: Int) throws(RuleError) -> Interval {
        .milliseconds(Int64(try integer(in: least...Int(RuleLimit.intervalMax.nanoseconds / 1_000_000))))
    }

    /// One of some words, which spaces separate: its number.
    func word(of words: StaticString) throws(RuleError) -> Int {
        let text = try text()
        let words = ASCII.words(words)
        if let index = words.firstIndex(of: text) { return index }
        throw error("'\(Self.shown(text))' is unknown; write \(Self.alternatives(words))")
    }

    /// One of some words, and what it stands for.
    func word<Meaning>(of words: StaticString, _ meanings: [Meaning]) throws(RuleError) -> Meaning {
        meanings[try word(of: words)]
    }

    var isNull: Bool {
        if case .null = value { true } else { false }
    }

    var kind: StaticString {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// A text for a sentence: of bounded length, with control characters as JSON writes them.
    package static func shown(_ text: [UInt8]) -> String {
        var shown: [UInt8] = []
        for byte in text.prefix(60) {
            switch byte {
            case 0x0A: shown += ASCII.bytes("\\n")
            case 0x0D: shown += ASCII.bytes("\\r")
            case ..<0x20: shown += ASCII.bytes("\\u00") + [0x30 + byte >> 4, ASCII.bytes("0123456789abcdef")[Int(byte & 0xF)]]
            default: shown.append(byte)
            }
        }
        return String(utf8: shown) + (text.count > 60 ? "..." : "")
    }

    /// `"a", "b" or "c"`.
    static func alternatives(_ words: [[UInt8]]) -> String {
        var result = ""
        for (index, word) in words.enumerated() {
            if index > 0 { result += index == words.count - 1 ? " or " : ", " }
            result += "\"\(shown(word))\""
        }
        return result
    }
}

/// An object of which all member names are known. A member that is null counts as absent.
package struct RuleObject {
    package let node: RuleNode
    private let members: [RuleNode]

    /// The names are separated by spaces. `remarks`: texts without effect, besides those that any rule may have.
    package init(_ node: RuleNode, members names: StaticString, remarks: StaticString = "") throws(RuleError) {
        self.node = node
        members = try node.members(limit: RuleLimit.rulesPerKind)
        let names = ASCII.words(names)
        let remarks = ASCII.words("src note") + ASCII.words(remarks)
        for member in members where !names.contains(member.name) {
            guard remarks.contains(member.name) else { throw Self.unknown(member, names) }
            if !member.isNull { _ = try member.text() }
        }
    }

    private static func unknown(_ member: RuleNode, _ names: [[UInt8]]) -> RuleError {
        let suggestion = NameSearch.find(member.name, in: names).suggestion
        let hint = suggestion.map { "did you mean '\($0)'?" } ?? "known are \(RuleNode.alternatives(names))"
        return member.error("unknown member '\(RuleNode.shown(member.name))'; \(hint)")
    }

    package subscript(_ name: StaticString) -> RuleNode? {
        let name = ASCII.bytes(name)
        return members.first { $0.name == name && !$0.isNull }
    }

    /// `example`: the member as it might be written.
    func required(_ name: StaticString, _ example: StaticString) throws(RuleError) -> RuleNode {
        guard let member = self[name] else { throw node.error("'\(name)' is missing; write for example \(example)") }
        return member
    }
}
