// The interpolation of strings as calls. The standard library's is inlined, which makes some hundred bytes of code out of each piece of each
// text; the compiler prefers what a module other than the standard library declares.

extension DefaultStringInterpolation {
    @inline(never)
    package mutating func appendLiteral(_ literal: String) { write(literal) }

    @inline(never)
    package mutating func appendInterpolation(_ text: String) { write(text) }

    @inline(never)
    package mutating func appendInterpolation(_ text: StaticString) { write(text.description) }

    @inline(never)
    package mutating func appendInterpolation(_ number: Int64) { write(number.description) }

    @inline(never)
    package mutating func appendInterpolation(_ number: UInt64) { write(number.description) }

    package mutating func appendInterpolation<Number: FixedWidthInteger>(_ number: Number) {
        if Number.isSigned {
            appendInterpolation(Int64(truncatingIfNeeded: number))
        } else {
            appendInterpolation(UInt64(truncatingIfNeeded: number))
        }
    }
}

extension [String] {
    /// The texts with commas between them.
    package var listed: String {
        var result = ""
        for text in self { result = result.isEmpty ? text : "\(result), \(text)" }
        return result
    }
}
