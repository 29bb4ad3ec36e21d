import Heartbeat
import WebSocket

/// Any text as the body of a reply, answering any message.
func examine(_ given: Input) {
    var input = given
    let members = ["", #", "op": "binary""#, #", "op": "ping""#, #", "wrap": "tv""#][input.choice() % 4]
    let learned: [UInt8]? = input.flag() ? input.take(input.choice() % 16) : nil
    let template = input.take(input.choice())
    let message = input.takeRest()
    let take = #"{"id": "/id", "x": {"after": "x", "until": ";"}, "p": "payload"}"#
    let before = #"{"reply": [{"on": {}, "take": \#(take), "send": {"body": ""#
    guard let rules = compileRules(before.utf8 + quoted(template) + "\"\(members)}}]}".utf8, preset: nil) else { return }
    let rule = rules.replies[0]
    let isPlain = !zip(template, template.dropFirst()).contains { $0 == 0x24 && $1 == 0x7B }
    withBlock(message[...]) { block in
        let scanner = JSONScanner()
        var unit = UnitView(UnsafeRawBufferPointer(block), kind: .text)
        var captured = Captured()
        captured.take(rule.take, from: &unit, rules, scanner)
        let values = FixedValues(learnedValue: learned)
        _ = requireSendable(rule.send, captured, values)
        if isPlain && members.isEmpty { requireLiteral(rule.send, template) }
        withExtendedLifetime(scanner) {}
    }
}

/// A text without gaps is written as it stands.
private func requireLiteral(_ send: SendRule, _ template: [UInt8]) {
    var values = FixedValues()
    var body: [UInt8] = []
    guard TemplateWriter.write(send, Captured(), &values, into: &body) != nil else { return }
    require(body == template, "\(template) is written as \(body)")
}

/// Inside of a JSON string.
private func quoted(_ text: [UInt8]) -> [UInt8] {
    text.flatMap { byte -> [UInt8] in
        switch byte {
        case 0x22, 0x5C: [0x5C, byte]
        case ..<0x20: [UInt8]("\\u00".utf8) + [0x30 + byte >> 4, [UInt8]("0123456789abcdef".utf8)[Int(byte & 0xF)]]
        default: [byte]
        }
    }
}
