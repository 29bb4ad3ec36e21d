import WebSocket

/// Reads a template's text into pieces.
struct TemplateParser {
    /// What the text may refer to.
    struct Context {
        var captures: [[UInt8]] = []
        /// False where there is no message that is answered.
        var hasPayload = false
    }

    private let node: RuleNode
    private let context: Context
    /// The pieces of the whole, and of each section that is open; `captured` are those sections' captures.
    private var pieces: [[Template.Piece]] = [[]]
    private var captured: [Int] = []

    private init(_ node: RuleNode, _ context: Context) {
        self.node = node
        self.context = context
    }

    static func parse(
        _ node: RuleNode, _ context: Context, variable: ([UInt8]) throws(RuleError) -> Int
    ) throws(RuleError) -> Template {
        let text = try node.text()
        guard text.count <= RuleLimit.templateSize else {
            throw node.error("has \(text.count) bytes; at most \(RuleLimit.templateSize) are allowed")
        }
        var parser = TemplateParser(node, context)
        try parser.read(text[...], variable)
        guard parser.captured.isEmpty else { throw node.error("has a section ${?...} without its end ${/}") }
        return Template(parser.pieces[0])
    }

    private mutating func read(_ text: ArraySlice<UInt8>, _ variable: ([UInt8]) throws(RuleError) -> Int) throws(RuleError) {
        var literal: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == 0x24, rest.first == 0x7B else {
                literal.append(byte)
                continue
            }
            guard let end = rest.firstIndex(of: 0x7D) else {
                throw node.error("has a ${ without its }, at '\(RuleNode.shown([byte] + rest))'")
            }
            flush(&literal)
            try readForm([UInt8](rest[(rest.startIndex + 1)..<end]), variable)
            rest = rest[(end + 1)...]
        }
        flush(&literal)
    }

    private mutating func flush(_ literal: inout [UInt8]) {
        if !literal.isEmpty { append(.literal(literal)) }
        literal = []
    }

    private mutating func append(_ piece: Template.Piece) { pieces[pieces.count - 1].append(piece) }

    /// `form` is what stands between the braces.
    private mutating func readForm(_ form: [UInt8], _ variable: ([UInt8]) throws(RuleError) -> Int) throws(RuleError) {
        if form == [0x2F] {
            guard let capture = captured.popLast(), let inner = pieces.popLast() else {
                throw node.error("has ${/} without a section before it")
            }
            append(.section(captured: capture, inner))
        } else if form.first == 0x3F {
            let capture = try capture([UInt8](form.dropFirst()))
            guard captured.count < RuleLimit.sectionDepth else {
                throw node.error("has sections nested deeper than \(RuleLimit.sectionDepth)")
            }
            captured.append(capture)
            pieces.append([])
        } else if form.starts(with: ASCII.bytes("last.")) {
            append(try last([UInt8](form.dropFirst(5)), variable))
        } else if let piece = Self.piece(form) {
            if case .payload = piece, !context.hasPayload { throw node.error("has ${payload}, but answers no message that has one") }
            append(piece)
        } else {
            append(.captured(try capture(form)))
        }
    }

    private static let words: StaticString = "counter unix_s unix_ms iso8601 uuid rand payload"

    /// What one of the words stands for; nil if it is none.
    private static func piece(_ word: [UInt8]) -> Template.Piece? {
        switch ASCII.words(words).firstIndex(of: word) {
        case 0: .counter
        case 1: .unixSeconds
        case 2: .unixMilliseconds
        case 3: .dateTime
        case 4: .uuid
        case 5: .random
        case 6: .payload
        default: nil
        }
    }

    /// True for a name that means something else in a template than a capture.
    static func isReserved(_ name: [UInt8]) -> Bool { piece(name) != nil }

    private func capture(_ name: [UInt8]) throws(RuleError) -> Int {
        if let index = context.captures.firstIndex(of: name) { return index }
        var known = ""
        for name in context.captures + ASCII.words(Self.words) { known = "\(known)\(RuleNode.shown(name)), " }
        let place = "has ${\(RuleNode.shown(name))}, which 'take' does not define"
        throw node.error("\(place); known here are \(known)last.NAME, last.NAME|default")
    }

    private func last(_ form: [UInt8], _ variable: ([UInt8]) throws(RuleError) -> Int) throws(RuleError) -> Template.Piece {
        let name = [UInt8](form.prefix { $0 != 0x7C })
        guard name != ASCII.bytes("counter") else { throw node.error("has ${last.counter}; the counter is ${counter}") }
        return .last(variable: try variable(name), default: name.count < form.count ? [UInt8](form.dropFirst(name.count + 1)) : nil)
    }
}

extension Template {
    /// A template that stands alone: there is no message that it answers, and nothing is learned.
    package init(standingAlone text: [UInt8]) throws(RuleError) {
        let node = RuleNode(.string(text))
        self = try TemplateParser.parse(node, TemplateParser.Context()) { (name) throws(RuleError) in
            throw node.error("has ${last.\(RuleNode.shown(name))}, and nothing is learned here")
        }
    }
}
