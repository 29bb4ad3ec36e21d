import WebSocket

/// What a length of time comes to with what is known now.
package enum LearnedInterval: Equatable {
    case known(Interval)
    /// The peer said zero, so it wants none.
    case off
    case unknown
}

extension DurationRule {
    /// `learned` gives a variable's raw text.
    package func evaluate(_ learned: (Int) -> [UInt8]?) -> LearnedInterval {
        switch self {
        case .fixed(let interval): .known(interval)
        case .learned(let duration): duration.evaluate(value: learned(duration.variable), added: duration.addedVariable.flatMap(learned))
        }
    }
}

extension LearnedDuration {
    /// Both are raw texts, as captured. What is no number is unknown. No peer can make the result shorter or longer than intervals may be.
    @inline(never)
    package func evaluate(value: [UInt8]?, added: [UInt8]?) -> LearnedInterval {
        let unknown = fallback.map { LearnedInterval.known($0) } ?? .unknown
        let nanoseconds = Double(unit.nanoseconds)
        guard let value, var length = DecimalText(quotable: value)?.scaled(by: nanoseconds) else { return unknown }
        guard length > 0 else { return .off }
        if let lowerBound { length = max(length, Double(lowerBound.nanoseconds)) }
        if let upperBound { length = min(length, Double(upperBound.nanoseconds)) }
        length = length * factor + Double(addend.nanoseconds)
        if addedVariable != nil {
            guard let added, let more = DecimalText(quotable: added)?.scaled(by: nanoseconds) else { return unknown }
            length += max(more, 0)
        }
        return .known(Self.interval(length))
    }

    private static func interval(_ nanoseconds: Double) -> Interval {
        let least = Double(RuleLimit.learnedMin.nanoseconds)
        let most = Double(RuleLimit.intervalMax.nanoseconds)
        return Interval(nanoseconds: Int64(max(least, min(most, nanoseconds)) + 0.5))
    }
}

/// The whole number that a peer or the program wrote, possibly within quotes; what a counter goes on from.
package func learnedCount(_ text: UnsafeRawBufferPointer) -> Int64? {
    let isQuoted = text.count >= 2 && text.first == 0x22 && text.last == 0x22
    let digits = isQuoted ? text[1..<(text.count - 1)] : text[...]
    return ASCII.decimal(digits, max: UInt64(Int64.max)).map { Int64($0) }
}
