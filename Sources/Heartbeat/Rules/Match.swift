import WebSocket

// Nothing here allocates, and arrays are walked by index: a copy of a condition would count references.

extension Match {
    /// The scanner is one that nobody else uses while the unit is looked at.
    package func holds(for unit: inout UnitView, _ rules: RuleSet, _ scanner: JSONScanner) -> Bool {
        for index in alternatives.indices where alternatives[index].holds(for: &unit, rules, scanner) { return true }
        return false
    }
}

extension Condition {
    /// What needs no JSON is looked at first.
    package func holds(for unit: inout UnitView, _ rules: RuleSet, _ scanner: JSONScanner) -> Bool {
        guard holdsPlainly(for: unit) else { return false }
        if members.isEmpty { return true }
        guard unit.isCandidate(rules, scanner) else { return false }
        for index in members.indices where !members[index].holds(scanner.found(members[index].slot)) { return false }
        return true
    }

    /// True if all that it asks for besides JSON holds.
    func holdsPlainly(for unit: UnitView) -> Bool {
        switch (opcode, unit.kind) {
        case (.any, _), (.text, .text), (.binary, .binary): break
        case (.text, .binary), (.binary, .text): return false
        }
        if let length, length != unit.bytes.count { return false }
        if let equals, equals.count != unit.bytes.count || !unit.bytes.elementsEqual(equals) { return false }
        if let prefix, !unit.bytes.starts(with: prefix) { return false }
        if let word, !unit.beginsWithWord(word) { return false }
        if isEmptyObject, !unit.isEmptyObject { return false }
        return true
    }
}

extension MemberTest {
    func holds(_ found: JSONFound?) -> Bool {
        switch kind {
        case .equals(let scalar): found?.equals(scalar) ?? false
        case .exists: found != nil
        case .lacks: found == nil
        case .isOf(let kind): found?.kind == kind
        }
    }
}

extension AckRule {
    /// True if the unit repeats what a beat carried as this rule asks. Whether the unit matches at all is for `on` to say.
    package func isCorrelated(_ unit: inout UnitView, with sent: PendingValues, _ rules: RuleSet, _ scanner: JSONScanner) -> Bool {
        for correlation in equal {
            guard let text = sent.text(of: correlation.value), let found = unit.value(in: correlation.slot, rules, scanner),
                found.scalarTextEquals(text)
            else { return false }
        }
        for correlation in atLeast {
            guard let text = sent.text(of: correlation.value), let found = unit.value(in: correlation.slot, rules, scanner),
                found.isAtLeast(text)
            else { return false }
        }
        return true
    }
}
