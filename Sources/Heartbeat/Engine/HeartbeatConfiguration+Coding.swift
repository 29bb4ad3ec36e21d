import WebSocket

/// What is between a message and its content: templates and compressed forms.
extension HeartbeatConfiguration {
    /// What is larger, decoded, is no message that rules are about.
    private static let decodedSizeMax = 65536

    /// The message without the codings around it; nil if it is not what the rules expect.
    package func decoded(
        _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ scratch: RuleScratch
    ) -> UnsafeRawBufferPointer? {
        guard kind == .binary, let rules, !rules.frame.decode.isEmpty else { return payload }
        guard let coder else { return nil }
        var input = payload
        for coding in rules.frame.decode {
            swap(&scratch.decoded, &scratch.decodedBefore)
            guard coder.decode(coding, input, into: &scratch.decoded, sizeMax: Self.decodedSizeMax) else { return nil }
            input = scratch.decoded.bytes
        }
        return input
    }

    /// Writes the body that a rule sends, encoded; nil if it cannot be made.
    package func render(
        _ rule: SendRule, _ captured: Captured, _ values: EngineValues, into body: inout [UInt8]
    ) -> PendingValues? {
        var values = values
        guard let used = TemplateWriter.write(rule, captured, &values, into: &body) else { return nil }
        for coding in rule.encode {
            guard let encoded = coder?.encode(coding, body) else { return nil }
            body = encoded
        }
        return used
    }
}
