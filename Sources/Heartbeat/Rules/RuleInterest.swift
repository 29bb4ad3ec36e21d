import WebSocket

/// What kinds of messages a rule set can be about, so that most of them are passed by at once.
struct RuleInterest {
    private let readsText: Bool
    private let readsBinary: Bool
    private let isDecoded: Bool
    private let isSplit: Bool
    /// The conditions that ask for nothing in JSON.
    private let plain: [Condition]
    private let asksForJSON: Bool

    init(_ parts: RuleSetParts) {
        let conditions = Self.conditions(parts)
        readsText = conditions.contains { $0.opcode != .binary }
        readsBinary = conditions.contains { $0.opcode != .text }
        isDecoded = !parts.frame.decode.isEmpty
        isSplit = parts.frame.split != nil
        plain = conditions.filter { $0.members.isEmpty }
        asksForJSON = conditions.contains { !$0.members.isEmpty }
    }

    @_optimize(speed)
    func mayConcern(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ filter: LiteralFilter) -> Bool {
        switch kind {
        case .text: guard readsText else { return false }
        case .binary:
            guard readsBinary else { return false }
            if isDecoded { return true }
        }
        if isSplit {
            if !plain.isEmpty { return true }
        } else {
            let unit = UnitView(payload, kind: kind)
            for index in plain.indices where plain[index].holdsPlainly(for: unit) { return true }
        }
        return asksForJSON && filter.mayMatch(payload)
    }

    private static func conditions(_ parts: RuleSetParts) -> [Condition] {
        var matches = parts.setups.compactMap { $0.on } + parts.learns.map { $0.on } + parts.replies.map { $0.on }
        matches += parts.stamps.map { $0.on } + parts.reconnect.on
        for beat in parts.beats {
            if case .match(let match) = beat.start { matches.append(match) }
            if let ack = beat.ack, case .match(let match) = ack.on { matches.append(match) }
        }
        for watch in parts.watches {
            if case .match(let match) = watch.start { matches.append(match) }
            if case .match(let match) = watch.on { matches.append(match) }
        }
        return matches.flatMap { $0.alternatives }
    }
}
