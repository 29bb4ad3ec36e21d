import WebSocket

/// Compiles documents of the rule language, which README.md in the folder above describes, into one rule set.
///
/// A program's own documents come first and a preset's last, so that of two replies to the same message the program's own wins.
package struct RuleCompiler {
    /// The members of a document that `replace` can leave out of a preset.
    struct Members: OptionSet {
        let rawValue: UInt8

        static let beat = Members(rawValue: 1 << 0)
        static let reply = Members(rawValue: 1 << 1)
        static let watch = Members(rawValue: 1 << 2)
        static let setup = Members(rawValue: 1 << 3)
        static let learn = Members(rawValue: 1 << 4)
        static let reconnect = Members(rawValue: 1 << 5)
        static let stamp = Members(rawValue: 1 << 6)

        /// In the order of their bits.
        static let words: StaticString = "beat reply watch setup learn reconnect stamp"
    }

    var parts = RuleSetParts()
    var filter = FilterLiterals()
    /// Where watches ask for a probe.
    var beatProbes: [RuleNode] = []
    var pingProbes: [RuleNode] = []
    /// The watches that do not say what to send when they expire.
    var defaultProbes: [Int] = []
    private var hasFrame = false
    private var replaced: Members = []

    package init() {}

    /// Adds a document; after an error everything is as it was before.
    package mutating func add(_ text: [UInt8], asPreset: Bool) throws(RuleError) {
        var extended = self
        try extended.addDocument(Self.document(text), asPreset: asPreset)
        self = extended
    }

    package func finish() throws(RuleError) -> RuleSet {
        if let probe = beatProbes.first, parts.beats.isEmpty {
            throw probe.error("there is no beat to send; add one, or write \"ping\" or \"none\"")
        }
        var parts = parts
        parts.filter = filter.compile()
        if parts.isSendForbidden {
            for index in defaultProbes { parts.watches[index].probe = .none }
        }
        return RuleSet(parts)
    }

    /// The text as a document, of which nothing is known yet but that it is JSON.
    package static func document(_ text: [UInt8]) throws(RuleError) -> RuleNode {
        let document = RuleNode(.null)
        guard text.count <= RuleLimit.documentSize else {
            throw document.error("has \(text.count) bytes; at most \(RuleLimit.documentSize) are allowed")
        }
        do throws(JSONSyntaxError) {
            return RuleNode(try JSONNode.parse(text))
        } catch {
            throw document.error("is no JSON: \(error.sentence)")
        }
    }

    private mutating func addDocument(_ node: RuleNode, asPreset: Bool) throws(RuleError) {
        let document = try RuleObject(
            node, members: "frame setup learn reply beat watch stamp reconnect send replace", remarks: "reply_frame")
        if let replace = document["replace"] { try addReplacements(replace, asPreset: asPreset) }
        let leftOut: Members = asPreset ? replaced : []
        func rules(_ name: StaticString, _ member: Members, after count: Int) throws(RuleError) -> [RuleNode] {
            guard !leftOut.contains(member), let list = document[name] else { return [] }
            return try list.elements(limit: RuleLimit.rulesPerKind - count)
        }
        if let frame = document["frame"] { try addFrame(frame) }
        for rule in try rules("setup", .setup, after: parts.setups.count) { try addSetup(rule) }
        for rule in try rules("learn", .learn, after: parts.learns.count) { try addLearn(rule) }
        for rule in try rules("reply", .reply, after: parts.replies.count) { try addReply(rule) }
        for rule in try rules("beat", .beat, after: parts.beats.count) { try addBeat(rule) }
        for rule in try rules("watch", .watch, after: parts.watches.count) { try addWatch(rule) }
        for rule in try rules("stamp", .stamp, after: parts.stamps.count) { try addStamp(rule) }
        if !leftOut.contains(.reconnect), let reconnect = document["reconnect"] { try addReconnect(reconnect) }
        if let send = document["send"] { parts.isSendForbidden = try send.word(of: "forbidden") == 0 }
        try checkSending(document)
    }

    private mutating func addReplacements(_ node: RuleNode, asPreset: Bool) throws(RuleError) {
        guard !asPreset else { throw node.error("a preset replaces nothing; only rules of one's own do") }
        for element in try node.elements(limit: UInt8.bitWidth) {
            replaced.insert(Members(rawValue: 1 << UInt8(try element.word(of: Members.words))))
        }
    }

    private mutating func addFrame(_ node: RuleNode) throws(RuleError) {
        let object = try RuleObject(node, members: "decode split")
        var frame = FrameRule()
        if let decode = object["decode"] { frame.decode = try codings(decode) }
        if let split = object["split"] {
            frame.split = try split.word(
                of: "\n \r\n \u{1E} tv varint mqtt",
                [.lineFeed, .carriageReturnLineFeed, .recordSeparator, .tradingView, .varint, .mqtt])
        }
        guard !hasFrame || (frame.decode == parts.frame.decode && frame.split == parts.frame.split) else {
            throw node.error("differs from the frame of the rules added before; all rules of a connection share one, so leave one out")
        }
        hasFrame = true
        parts.frame = frame
    }

    /// Where sending is forbidden there can be no rule that sends.
    private func checkSending(_ document: RuleObject) throws(RuleError) {
        guard parts.isSendForbidden else { return }
        let senders: [(StaticString, Bool)] = [
            ("beat", parts.beats.isEmpty), ("reply", parts.replies.isEmpty), ("setup", parts.setups.isEmpty),
        ]
        for (name, isEmpty) in senders where !isEmpty {
            let place = document[name] ?? document["send"] ?? document.node
            throw place.error("sending is forbidden by \"send\": \"forbidden\", so there can be no '\(name)'; leave one of them out")
        }
        if let probe = (pingProbes + beatProbes).first {
            throw probe.error("sending is forbidden by \"send\": \"forbidden\", so nothing can be sent; write \"none\"")
        }
    }
}
