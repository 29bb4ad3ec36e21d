/// A JSON document as a tree, for configuration. Numbers stay text; an object keeps all its members, in their order.
package indirect enum JSONNode {
    case null
    case bool(Bool)
    case number([UInt8])
    /// The decoded content: UTF-8, but for lone surrogates and bytes that were not UTF-8 before.
    case string([UInt8])
    case array([JSONNode])
    case object([(key: [UInt8], value: JSONNode)])

    package static func parse(_ text: [UInt8]) throws(JSONSyntaxError) -> JSONNode {
        let result = text.withUnsafeBytes { bytes -> Result<JSONNode, JSONSyntaxError> in
            guard let text = JSONText(bytes) else { return .failure(JSONSyntaxError(offset: 0, problem: .unfinished)) }
            var parser = JSONParser(text: text)
            do throws(JSONSyntaxError) {
                return .success(try parser.parseDocument())
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let node): return node
        case .failure(let error): throw error
        }
    }
}

/// Builds the tree. It calls itself for every container, of which there are at most `JSONText.depthMax` within one another.
private struct JSONParser {
    let text: JSONText
    var index = 0
    var depth = 0

    mutating func parseDocument() throws(JSONSyntaxError) -> JSONNode {
        let node = try parseValue()
        guard skipWhitespace() == text.count else { throw text.error(.trailing, at: index) }
        return node
    }

    private mutating func skipWhitespace() -> Int {
        index = text.skipWhitespace(from: index)
        return index
    }

    private mutating func parseValue() throws(JSONSyntaxError) -> JSONNode {
        let start = skipWhitespace()
        switch try text.kind(at: start) {
        case .object: return .object(try parseObject())
        case .array: return .array(try parseArray())
        case .string: return .string(try parseString())
        case .number: return .number([UInt8](try scalar(.number)))
        case .bool:
            _ = try scalar(.bool)
            return .bool(text.isTrue(at: start))
        case .null:
            _ = try scalar(.null)
            return .null
        }
    }

    private mutating func scalar(_ kind: JSONKind) throws(JSONSyntaxError) -> UnsafeRawBufferPointer {
        let start = index
        index = try text.endOfScalar(kind, at: start)
        return text.bytes(from: start, to: index)
    }

    private mutating func parseString() throws(JSONSyntaxError) -> [UInt8] {
        JSONString(try scalar(.string)).decoded
    }

    private mutating func parseArray() throws(JSONSyntaxError) -> [JSONNode] {
        var elements: [JSONNode] = []
        try open()
        while try hasMore(until: UInt8(ascii: "]"), isFirst: elements.isEmpty) {
            elements.append(try parseValue())
        }
        return elements
    }

    private mutating func parseObject() throws(JSONSyntaxError) -> [(key: [UInt8], value: JSONNode)] {
        var members: [(key: [UInt8], value: JSONNode)] = []
        try open()
        while try hasMore(until: UInt8(ascii: "}"), isFirst: members.isEmpty) {
            guard text[skipWhitespace()] == UInt8(ascii: "\"") else { throw text.error(members.isEmpty ? .nameOrEnd : .name, at: index) }
            let key = try parseString()
            guard text[skipWhitespace()] == UInt8(ascii: ":") else { throw text.error(.colon, at: index) }
            index &+= 1
            members.append((key: key, value: try parseValue()))
        }
        return members
    }

    private mutating func open() throws(JSONSyntaxError) {
        guard depth < JSONText.depthMax else { throw text.error(.tooDeep, at: index) }
        depth &+= 1
        index &+= 1
    }

    /// False behind the container's end, true where the next value or member must stand.
    private mutating func hasMore(until end: UInt8, isFirst: Bool) throws(JSONSyntaxError) -> Bool {
        let byte = text[skipWhitespace()]
        if byte == end {
            depth &-= 1
            index &+= 1
            return false
        }
        if isFirst { return true }
        guard byte == UInt8(ascii: ",") else { throw text.error(.commaOrEnd, at: index) }
        index &+= 1
        return true
    }
}
