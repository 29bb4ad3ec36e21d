import WebSocket

/// What is sent.
extension RuleCompiler {
    /// What is sent without a message that it answers.
    package mutating func send(_ rule: RuleObject) throws(RuleError) -> SendRule {
        try send(rule, .init())
    }

    mutating func send(_ rule: RuleObject, _ context: TemplateParser.Context) throws(RuleError) -> SendRule {
        let node = try rule.required("send", "\"send\": {\"body\": \"ping\"}")
        let object = try RuleObject(node, members: "op body hex wrap encode")
        let opcode: SendRule.Opcode = try object["op"]?.word(of: "text binary ping", [.text, .binary, .ping]) ?? .text
        var send = SendRule(body: try body(object, opcode, context))
        send.opcode = opcode
        if let wrap = object["wrap"] {
            send.wrapsTradingView = try wrap.word(of: "tv") == 0
            guard opcode == .text else { throw wrap.error("is for text; leave it out, or leave \"op\" out") }
        }
        if let encode = object["encode"] {
            guard opcode == .binary else { throw encode.error("compressed bytes are no text; write \"op\": \"binary\" beside it") }
            send.encode = try codings(encode)
        }
        return send
    }

    private mutating func body(
        _ object: RuleObject, _ opcode: SendRule.Opcode, _ context: TemplateParser.Context
    ) throws(RuleError) -> Template {
        guard let hex = object["hex"] else {
            let node = try object.required("body", "\"body\": \"ping\"")
            let template = try TemplateParser.parse(node, context) { (name) throws(RuleError) in try variable(name, node) }
            if opcode == .ping { try Self.checkPing(template, node) }
            return template
        }
        if let body = object["body"] { throw body.error("'body' and 'hex' both say what to send; leave one out") }
        guard opcode != .text else { throw hex.error("bytes need \"op\": \"binary\" or \"ping\"") }
        let template = Template([.literal(try Self.bytes(hex))])
        if opcode == .ping { try Self.checkPing(template, hex) }
        return template
    }

    /// Checks what is sent for certain; the rest is seen when it is sent.
    private static func checkPing(_ template: Template, _ node: RuleNode) throws(RuleError) {
        var size = 0
        for case .literal(let bytes) in template.pieces { size += bytes.count }
        guard size <= RuleLimit.pingSize else {
            throw node.error("has \(size) bytes; a ping carries at most \(RuleLimit.pingSize) (RFC 6455 section 5.5)")
        }
    }

    func codings(_ node: RuleNode) throws(RuleError) -> [BodyCoding] {
        var codings: [BodyCoding] = []
        for element in try node.elements(limit: RuleLimit.codings) {
            codings.append(try element.word(of: "gzip zlib raw_deflate", [.gzip, .zlib, .rawDeflate]))
        }
        return codings
    }
}
