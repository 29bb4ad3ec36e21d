/// What a rule sends.
package struct SendRule: Equatable {
    package enum Opcode: UInt8 {
        case text
        case binary
        case ping
    }

    package var opcode = Opcode.text
    package var body: Template
    /// Written as a `~m~LENGTH~m~` record.
    package var wrapsTradingView = false
    /// Applied in order to the body of a binary message.
    package var encode: [BodyCoding] = []

    package init(body: Template) {
        self.body = body
    }
}

/// A body with gaps.
package struct Template: Equatable {
    package indirect enum Piece: Equatable {
        case literal([UInt8])
        /// The reply rule's capture with this index; the template is not sent without it.
        case captured(Int)
        case payload
        case counter
        case unixSeconds
        case unixMilliseconds
        /// The date and time of UTC (RFC 3339).
        case dateTime
        case uuid
        case random
        /// A learned value or a parameter; without either the default, and without a default nothing is sent.
        case last(variable: Int, default: [UInt8]?)
        /// Kept only if the capture exists.
        case section(captured: Int, [Piece])
    }

    package var pieces: [Piece]

    package init(_ pieces: [Piece]) {
        self.pieces = pieces
    }

    @inline(never)
    package static func == (a: Template, b: Template) -> Bool { a.pieces == b.pieces }
}

/// A length of time, given or computed from what was learned.
package enum DurationRule {
    case fixed(Interval)
    case learned(LearnedDuration)
}

/// Evaluated in this order: unit, lower and upper bound, factor, added constant, added variable. A learned 0 means off.
package struct LearnedDuration {
    package var variable: Int
    /// Of the variable and of the added one.
    package var unit: Interval
    package var lowerBound: Interval?
    package var upperBound: Interval?
    package var factor: Double = 1
    package var addend = Interval.zero
    package var addedVariable: Int?
    package var fallback: Interval?

    package init(variable: Int, unit: Interval) {
        self.variable = variable
        self.unit = unit
    }
}
