import WebSocket

/// One unit of a message while the rules look at it. It is scanned for JSON once at most, however many rules ask, and only if one does.
package struct UnitView {
    private enum Scan {
        case pending
        /// Contains nothing that a condition on JSON asks for.
        case unneeded
        case noDocument
        case done
    }

    package let kind: MessageKind
    package let bytes: UnsafeRawBufferPointer
    private var scan = Scan.pending

    package init(_ bytes: UnsafeRawBufferPointer, kind: MessageKind) {
        self.kind = kind
        self.bytes = bytes
    }

    /// True if the conditions on JSON have to be looked at: the unit is a document, and may contain what they ask for.
    mutating func isCandidate(_ rules: RuleSet, _ scanner: JSONScanner) -> Bool {
        if case .pending = scan {
            if rules.filter.mayMatch(bytes) { read(rules, scanner) } else { scan = .unneeded }
        }
        return if case .done = scan { true } else { false }
    }

    /// The value in a slot of the rule set's paths, whether the filter let the unit pass or not.
    mutating func value(in slot: Int, _ rules: RuleSet, _ scanner: JSONScanner) -> JSONFound? {
        switch scan {
        case .pending, .unneeded: read(rules, scanner)
        case .noDocument, .done: break
        }
        return if case .done = scan { scanner.found(slot) } else { nil }
    }

    private mutating func read(_ rules: RuleSet, _ scanner: JSONScanner) {
        scan = scanner.scan(bytes, for: rules.paths) ? .done : .noDocument
    }

    /// Its first bytes, for an event.
    var evidence: [UInt8] { [UInt8](bytes.prefix(HeartbeatNote.evidenceMax)) }

    /// True for the empty JSON object, with blanks in and around it.
    var isEmptyObject: Bool {
        var braces = 0
        for byte in bytes {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case 0x7B where braces == 0, 0x7D where braces == 1: braces &+= 1
            default: return false
            }
        }
        return braces == 2
    }

    /// True if the text up to the first space or the end is this.
    func beginsWithWord(_ word: [UInt8]) -> Bool {
        guard bytes.starts(with: word) else { return false }
        return bytes.count == word.count || bytes[word.count] == 0x20
    }
}
