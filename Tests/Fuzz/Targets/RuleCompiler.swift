import Heartbeat
import WebSocket

/// Any text as a rule document, alone, as a preset and beside one; what is accepted then looks at any message.
func examine(_ given: Input) {
    var input = given
    let role = input.choice() % 3
    let document = input.take(input.choice() * 4)
    let kind: MessageKind = input.flag() ? .binary : .text
    let message = input.takeRest()
    let rules =
        switch role {
        case 0: compileRules(document, preset: nil)
        case 1: compileRules([UInt8]("{}".utf8), preset: document)
        default: compileRules(document, preset: preset)
        }
    guard let rules else { return }
    require(rules.paths.count <= RuleLimit.paths && rules.variables.count <= RuleLimit.variables, "too much was accepted")
    var splitter = UnitSplitter(rules.frame.split)
    var isMatched = false
    for unit in units(&splitter, message[...], kind) {
        if run(rules, unit, kind) { isMatched = true }
    }
    guard isMatched else { return }
    require(message.withUnsafeBytes { rules.mayConcern(kind, $0) }, "a message that a rule matches was passed by")
}

private let preset = [UInt8](
    #"""
    {"learn": [{"on": {"json": {"/op": 10}}, "path": "/d", "var": "hb"}], "reply": [{"on": {"eq": "ping"}, "send": {"body": "pong"}}],
     "beat": [{"every": {"var": "hb", "unit": "s"}, "send": {"body": "${counter}"}}], "watch": [{"on": "any_rx", "within": "1s"}]}
    """#.utf8)

/// True if any rule matches the unit.
private func run(_ rules: RuleSet, _ bytes: [UInt8], _ kind: MessageKind) -> Bool {
    withBlock(bytes[...]) { block in
        let bytes = UnsafeRawBufferPointer(block)
        let scanner = JSONScanner()
        var unit = UnitView(bytes, kind: kind)
        var isMatched = false
        func holds(_ match: Match) -> Bool {
            let holds = match.holds(for: &unit, rules, scanner)
            var scanned = UnitView(bytes, kind: kind)
            if rules.paths.count > 0 { _ = Capture.json(slot: 0).view(of: &scanned, rules, scanner) }
            require(holds == match.holds(for: &scanned, rules, scanner), "the filter decides what matches")
            if holds { isMatched = true }
            return holds
        }
        var learned: [UInt8]?
        for rule in rules.learns where holds(rule.on) {
            guard let view = rule.capture.view(of: &unit, rules, scanner) else { continue }
            _ = learnedCount(view)
            learned = [UInt8](view)
        }
        for rule in rules.stamps where holds(rule.on) { _ = rule.capture.view(of: &unit, rules, scanner) }
        let values = FixedValues(learnedValue: learned)
        var captured = Captured()
        for rule in rules.replies where holds(rule.on) {
            captured.take(rule.take, from: &unit, rules, scanner)
            _ = requireSendable(rule.send, captured, values)
        }
        for beat in rules.beats {
            requireBounded(beat.every.evaluate { _ in learned })
            let sent = requireSendable(beat.send, Captured(), values)
            guard let sent, let ack = beat.ack, case .match(let match) = ack.on, holds(match) else { continue }
            _ = ack.isCorrelated(&unit, with: sent, rules, scanner)
        }
        for watch in rules.watches {
            requireBounded(watch.within.evaluate { _ in learned })
            if case .match(let match) = watch.on { _ = holds(match) }
            if case .match(let match) = watch.start { _ = holds(match) }
        }
        return isMatched
    }
}

private func requireBounded(_ interval: LearnedInterval) {
    guard case .known(let interval) = interval else { return }
    require(interval >= RuleLimit.intervalMin && interval <= RuleLimit.intervalMax, "an interval of \(interval.nanoseconds) ns")
}
