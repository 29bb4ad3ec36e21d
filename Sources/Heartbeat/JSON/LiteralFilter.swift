/// Rejects most messages before any parsing: those that have neither a backslash, behind which any character may hide, nor one of some literals.
package struct LiteralFilter {
    private var probes: [LiteralProbe] = []
    private var literals: [UInt8] = []
    private var passesEverything = false

    /// Without literals nothing may match; an empty literal is in every message.
    package init(_ literals: [[UInt8]]) {
        if literals.isEmpty { return }
        passesEverything = literals.contains([])
        for literal in [[UInt8(ascii: "\\")]] + literals where !literal.isEmpty {
            probes.append(LiteralProbe(literal, start: self.literals.count))
            self.literals += literal
        }
    }

    /// Lets every message pass.
    package static var everything: LiteralFilter { LiteralFilter([[]]) }

    @_optimize(speed)
    package func mayMatch(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, !passesEverything else { return passesEverything }
        return literals.withUnsafeBytes { literals in
            probes.withUnsafeBufferPointer { probes in
                for index in probes.indices where probes[index].occurs(in: base, count: bytes.count, literals: literals) { return true }
                return false
            }
        }
    }
}
