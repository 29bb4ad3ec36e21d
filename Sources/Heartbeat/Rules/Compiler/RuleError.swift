/// What is wrong in a rule document, where, and what would be right.
package final class RuleError: Error {
    /// JSON pointer (RFC 6901) of the member that is wrong; empty for the whole document.
    package let pointer: [UInt8]
    package let sentence: String

    package init(pointer: [UInt8], sentence: String) {
        self.pointer = pointer
        self.sentence = sentence
    }
}

/// What a rule set is limited to, so that no rule can cost without bound.
package enum RuleLimit {
    /// Bytes of one document.
    package static let documentSize = 64 << 10
    /// Rules of each kind, of all documents together.
    package static let rulesPerKind = 64
    /// Different places in JSON, of all documents together.
    package static let paths = 64
    package static let variables = 32
    /// Alternatives of one match, and predicates of one alternative.
    package static let alternatives = 64
    /// Captures of one reply.
    package static let captures = 32
    package static let templateSize = 16 << 10
    package static let sectionDepth = 4
    /// Bytes of a name, and of a text that a capture looks for.
    package static let nameSize = 64
    package static let searchedSize = 256
    package static let codings = 4
    package static let length = 1 << 30
    package static let fieldIndex = 1023
    package static let factor = 1000.0
    /// Bytes of a ping's payload (RFC 6455 section 5.5).
    package static let pingSize = 125
    package static let intervalMin = Interval.milliseconds(1)
    /// Of one that a peer tells: it must not make us beat like mad.
    package static let learnedMin = Interval.milliseconds(100)
    package static let intervalMax = Interval.seconds(7 * 24 * 3600)
}
