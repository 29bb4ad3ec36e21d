import WebSocket

/// What a connection's rules have learned, and its counter. Messages are sent from any thread and some rules learn from them, so the owner
/// guards an object of this class with the lock that it guards the outbox with.
package final class HeartbeatVariables {
    private let rules: RuleSet
    private let parameters: [[UInt8]?]
    private let counterStart: UInt64
    private var values: [[UInt8]?]
    /// What the next `${counter}` gives.
    private var counter: UInt64
    private let learnsFromOutgoing: Bool
    /// For what is sent; made with the first message that needs it.
    private var scratch: RuleScratch?

    /// Longer values are not learned: they are no durations or identifiers.
    private static let valueSizeMax = 256

    package init?(_ configuration: HeartbeatConfiguration) {
        guard let rules = configuration.rules else { return nil }
        self.rules = rules
        parameters = configuration.parameters
        counterStart = configuration.counterStart
        counter = counterStart
        values = parameters
        learnsFromOutgoing = rules.learns.contains { $0.isOutgoing }
    }

    /// A connection knows nothing of what an earlier one taught.
    package func reset() {
        values = parameters
        counter = counterStart
    }

    package subscript(variable: Int) -> [UInt8]? { variable < values.count ? values[variable] : nil }

    package func takeCounter() -> UInt64 {
        defer { counter &+= 1 }
        return counter
    }

    /// A message of the application's is on its way out.
    package func observeOutgoing(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) {
        guard learnsFromOutgoing, rules.mayConcern(kind, payload) else { return }
        let scratch = scratch ?? RuleScratch()
        self.scratch = scratch
        var unit = UnitView(payload, kind, rules, scratch.scanner)
        for rule in rules.learns where rule.isOutgoing && rule.on.holds(&unit) {
            _ = learn(rule, from: &unit)
        }
    }

    /// True if something was learned. JSON null says nothing, and never replaces what was known.
    func learn(_ rule: LearnRule, from unit: inout UnitView) -> Bool {
        guard let value = unit.capture(rule.capture), !value.isEmpty, value.count <= Self.valueSizeMax, !value.elementsEqual(Self.null)
        else { return false }
        switch rule.target {
        case .variable(let variable):
            guard variable < values.count else { return false }
            values[variable] = [UInt8](value)
        case .counter:
            guard let number = ASCII.decimal(value, max: .max &- 1), number &+ 1 > counter else { return false }
            counter = number &+ 1
        }
        return true
    }

    private static let null = ASCII.bytes("null")
}

/// What a thread needs to look at messages with rules; reused, so that looking allocates nothing.
package final class RuleScratch {
    package let scanner = JSONScanner()
    var decoded = ByteQueue()
    var decodedOnce = ByteQueue()

    package init() {}
}
