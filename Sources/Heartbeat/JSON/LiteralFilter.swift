/// Rejects most messages before any parsing: those that have neither a backslash, behind which anything may hide, nor one of some literals.
package struct LiteralFilter {
    private let literals: [[UInt8]]

    /// Lets every message pass.
    package static var everything: LiteralFilter { LiteralFilter([[]]) }

    /// Without literals nothing may match; an empty literal is in every message.
    package init(_ literals: [[UInt8]]) {
        self.literals = literals
    }

    package func mayMatch(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if literals.isEmpty { return false }
        if bytes.contains(0x5C) { return true }
        return literals.contains { literal in
            literal.isEmpty || bytes.count >= literal.count && (0...bytes.count - literal.count).contains {
                bytes[$0...].starts(with: literal)
            }
        }
    }
}
