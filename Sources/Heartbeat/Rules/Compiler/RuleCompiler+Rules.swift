import WebSocket

/// The rules without a timer of their own.
extension RuleCompiler {
    mutating func addSetup(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "on send")
        let on = try rule.required("on", "\"on\": \"open\"")
        var match: Match?
        if case .string = on.value {
            _ = try on.word(of: "open")
        } else {
            match = try self.match(on)
        }
        parts.setups.append(SetupRule(on: match, send: try send(rule)))
    }

    mutating func addLearn(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "on path var dir")
        let on = try match(Self.required(on: rule))
        let capture = try capture(rule.required("path", "\"path\": \"/interval\""))
        let name = try rule.required("var", "\"var\": \"interval\"")
        let target = try target(name.text(), name)
        let isOutgoing = try rule["dir"]?.word(of: "in out") == 1
        parts.learns.append(LearnRule(on: on, capture: capture, target: target, isOutgoing: isOutgoing))
    }

    /// `node` is where the name was written.
    package mutating func target(_ name: [UInt8], _ node: RuleNode) throws(RuleError) -> LearnRule.Target {
        name == ASCII.bytes("counter") ? .counter : .variable(try variable(name, node))
    }

    mutating func addReply(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "on take send")
        let on = try match(Self.required(on: rule))
        var names: [[UInt8]] = []
        var take: [Capture] = []
        for node in try rule["take"]?.members(limit: RuleLimit.captures) ?? [] {
            try Self.checkName(node.name, node)
            guard !TemplateParser.isReserved(node.name) else {
                throw node.error("${\(RuleNode.shown(node.name))} has a meaning of its own in templates; choose another name")
            }
            names.append(node.name)
            take.append(try capture(node))
        }
        parts.replies.append(ReplyRule(on: on, take: take, send: try send(rule, .init(captures: names, hasPayload: true))))
    }

    mutating func addStamp(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "on path unit")
        let on = try match(Self.required(on: rule))
        let capture = try capture(rule.required("path", "\"path\": \"/ts\""))
        let unit: TimestampUnit = try rule.required("unit", "\"unit\": \"ms\"").word(
            of: "iso8601 s ms us ns", [.iso8601, .seconds, .milliseconds, .microseconds, .nanoseconds])
        parts.stamps.append(StampRule(on: on, capture: capture, unit: unit))
    }

    /// What was said first about age and URL holds; the messages are those of all documents.
    mutating func addReconnect(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "max_age on url", remarks: "attempts")
        let ageMax = try rule["max_age"].map { (node) throws(RuleError) in try Self.interval(node) }
        if parts.reconnect.ageMax == nil { parts.reconnect.ageMax = ageMax }
        let matches = try rule["on"]?.elements(limit: RuleLimit.rulesPerKind - parts.reconnect.on.count) ?? []
        for node in matches { parts.reconnect.on.append(try match(node)) }
        if let url = rule["url"] {
            guard !matches.isEmpty else { throw url.error("is taken from a message, so 'on' must say from which") }
            let capture = try capture(url)
            if parts.reconnect.url == nil { parts.reconnect.url = capture }
        }
    }

    private static func required(on rule: RuleObject) throws(RuleError) -> RuleNode {
        try rule.required("on", "\"on\": {\"json\": {\"/type\": \"ping\"}}")
    }
}
