import WebSocket

/// A value in a rule document and the place where it stands. Reads what is expected there, or says what is wrong.
struct RuleNode {
    let value: JSONNode
    let pointer: [UInt8]

    init(_ value: JSONNode, at pointer: [UInt8] = []) {
        self.value = value
        self.pointer = pointer
    }

    func error(_ sentence: String) -> RuleError { RuleError(pointer: pointer, sentence: sentence) }

    func child(_ key: [UInt8], _ value: JSONNode) -> RuleNode {
        var pointer = pointer
        pointer.append(0x2F)
        for byte in key {
            let isEscaped = byte == 0x7E || byte == 0x2F
            if isEscaped { pointer.append(0x7E) }
            // RFC 6901 section 3: ~ is ~0, and / is ~1.
            pointer.append(isEscaped ? (byte == 0x7E ? 0x30 : 0x31) : byte)
        }
        return RuleNode(value, at: pointer)
    }

    /// The members of an object of any names.
    func members(limit: Int) throws(RuleError) -> [(key: [UInt8], node: RuleNode)] {
        guard case .object(let pairs) = value else { throw error("must be an object, not \(kind)") }
        guard pairs.count <= limit else { throw error("has \(pairs.count) members; at most \(limit) are allowed") }
        var result: [(key: [UInt8], node: RuleNode)] = []
        for pair in pairs {
            let node = child(pair.key, pair.value)
            guard !result.contains(where: { $0.key == pair.key }) else { throw node.error("is given twice; leave one out") }
            result.append((pair.key, node))
        }
        return result
    }

    func elements(limit: Int) throws(RuleError) -> [RuleNode] {
        guard case .array(let values) = value else { throw error("must be an array, not \(kind)") }
        guard values.count <= limit else { throw error("has \(values.count) elements; at most \(limit) are allowed") }
        var result: [RuleNode] = []
        for (index, value) in values.enumerated() { result.append(child([UInt8]("\(index)".utf8), value)) }
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

    /// One of some words, and what it stands for.
    func word<Meaning>(of words: [(StaticString, Meaning)]) throws(RuleError) -> Meaning {
        let text = try text()
        if let meaning = RuleNode.meaning(of: text, in: words) { return meaning }
        throw error("'\(Self.shown(text))' is unknown; write \(Self.alternatives(words.map { $0.0 }))")
    }

    static func meaning<Meaning>(of text: [UInt8], in words: [(StaticString, Meaning)]) -> Meaning? {
        words.first { ASCII.bytes($0.0) == text }?.1
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
    static func shown(_ text: [UInt8]) -> String {
        var shown: [UInt8] = []
        for byte in text.prefix(60) {
            switch byte {
            case 0x0A: shown += ASCII.bytes("\\n")
            case 0x0D: shown += ASCII.bytes("\\r")
            case ..<0x20: shown += ASCII.bytes("\\u00") + [0x30 + byte >> 4, ASCII.bytes("0123456789abcdef")[Int(byte & 0xF)]]
            default: shown.append(byte)
            }
        }
        return String(decoding: shown, as: UTF8.self) + (text.count > 60 ? "..." : "")
    }

    /// `"a", "b" or "c"`.
    static func alternatives(_ words: [StaticString]) -> String {
        var result = ""
        for (index, word) in words.enumerated() {
            if index > 0 { result += index == words.count - 1 ? " or " : ", " }
            result += "\"\(shown(ASCII.bytes(word)))\""
        }
        return result
    }
}

/// An object of which all member names are known. A member that is null counts as absent.
struct RuleObject {
    let node: RuleNode
    private let members: [(key: [UInt8], node: RuleNode)]

    /// Texts without effect, which any rule may have.
    private static let remarks: [StaticString] = ["src", "note"]

    /// `remarks`: further texts without effect.
    init(_ node: RuleNode, members names: [StaticString], remarks: [StaticString] = []) throws(RuleError) {
        self.node = node
        members = try node.members(limit: RuleLimit.rulesPerKind)
        let remarks = Self.remarks + remarks
        for (key, member) in members {
            if names.contains(where: { ASCII.bytes($0) == key }) { continue }
            guard remarks.contains(where: { ASCII.bytes($0) == key }) else { throw Self.unknown(key, member, names) }
            if !member.isNull { _ = try member.text() }
        }
    }

    private static func unknown(_ key: [UInt8], _ member: RuleNode, _ names: [StaticString]) -> RuleError {
        let hint = NameSearch.find(key, in: names).suggestion.map { "did you mean '\($0)'?" } ?? "known are \(RuleNode.alternatives(names))"
        return member.error("unknown member '\(RuleNode.shown(key))'; \(hint)")
    }

    subscript(_ name: StaticString) -> RuleNode? {
        members.first { $0.key == ASCII.bytes(name) && !$0.node.isNull }?.node
    }

    /// `example`: the member as it might be written.
    func required(_ name: StaticString, _ example: StaticString) throws(RuleError) -> RuleNode {
        guard let member = self[name] else { throw node.error("'\(name)' is missing; write for example \(example)") }
        return member
    }
}
