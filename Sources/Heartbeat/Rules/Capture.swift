import WebSocket

extension Capture {
    /// A view into the unit, or into the scanner's scratch for a value of JSON within a string: valid until the scanner scans again. Nil if
    /// what is to be captured is not there.
    package func view(of unit: inout UnitView, _ rules: RuleSet, _ scanner: JSONScanner) -> UnsafeRawBufferPointer? {
        switch self {
        case .json(let slot): unit.value(in: slot, rules, scanner)?.text
        case .payload: unit.bytes
        case .text(let capture): capture.view(of: unit.bytes)
        }
    }
}

extension TextCapture {
    func view(of unit: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let start = Self.position(of: after, in: unit, from: 0) else { return nil }
        var field = start &+ after.count
        var end = unit.count
        if let until, let found = Self.position(of: until, in: unit, from: field) { end = found }
        if let separator {
            for _ in 0..<index {
                guard let found = Self.position(of: separator, in: unit, from: field), found < end else { return nil }
                field = min(found &+ separator.count, end)
            }
            if let found = Self.position(of: separator, in: unit, from: field), found < end { end = found }
        }
        return Self.trimmed(UnsafeRawBufferPointer(rebasing: unit[field..<end]))
    }

    /// Where the text begins.
    private static func position(of text: [UInt8], in unit: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let first = text.first else { return start }
        var position = unit.position(of: first, from: start)
        while position &+ text.count <= unit.count {
            if unit[position...].starts(with: text) { return position }
            position = unit.position(of: first, from: position &+ 1)
        }
        return nil
    }

    private static func trimmed(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var start = 0
        var end = text.count
        while start < end, isBlank(text[start]) { start &+= 1 }
        while start < end, isBlank(text[end &- 1]) { end &-= 1 }
        return UnsafeRawBufferPointer(rebasing: text[start..<end])
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}

/// What a template can take from the message it answers: views, valid as long as the captures they come from. To be reused, so that taking
/// allocates nothing.
package struct Captured {
    package private(set) var payload: UnsafeRawBufferPointer?
    private var views: [UnsafeRawBufferPointer?] = []

    package init() {}

    package func view(_ index: Int) -> UnsafeRawBufferPointer? { views.indices.contains(index) ? views[index] : nil }

    package mutating func take(_ captures: [Capture], from unit: inout UnitView, _ rules: RuleSet, _ scanner: JSONScanner) {
        payload = unit.bytes
        views.removeAll(keepingCapacity: true)
        for capture in captures { views.append(capture.view(of: &unit, rules, scanner)) }
    }

    package mutating func removeAll() {
        payload = nil
        views.removeAll(keepingCapacity: true)
    }
}
