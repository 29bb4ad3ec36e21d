/// What became of a message, and of all those before it: a history by the messages' numbers.
///
/// Neighbours that came to the same outcome are one stretch, so that messages sent one after another cost nothing. Only the latest stretches
/// are remembered.
package enum Outcome: UInt8, BitwiseCopyable {
    /// It waits, or is being written.
    case pending = 0
    /// All its bytes were handed to the kernel.
    case sent = 1
    /// Its time to live ran out before its first byte was written.
    case expired = 2
    /// It gave way to a newer one, or was to be sent now and the connection broke.
    case dropped = 3
    /// The application took it back, or the connection ended for good before it was sent.
    case cancelled = 4
}

/// Messages with numbers in unbroken order that came to the same outcome.
package struct OutcomeStretch: BitwiseCopyable, Equatable {
    package var first: UInt64
    package var last: UInt64
    package let outcome: Outcome

    package init(first: UInt64, last: UInt64, outcome: Outcome) {
        self.first = first
        self.last = last
        self.outcome = outcome
    }

    package var count: UInt64 { last &- first &+ 1 }

    /// Whether `next` goes on where this ends.
    fileprivate func touches(_ next: OutcomeStretch) -> Bool { outcome == next.outcome && last &+ 1 == next.first }
}

package struct Outcomes {
    /// How many messages came to outcomes other than sent.
    package struct Counts {
        package var expired: UInt64 = 0
        package var dropped: UInt64 = 0
        package var cancelled: UInt64 = 0

        package init() {}
    }

    /// As many stretches are remembered at least.
    package static let stretchesMin = 4096
    /// So many more may come together before the oldest are forgotten, all at once.
    private static let excessMax = 512

    /// The stretch that the latest outcome belongs to. It begins empty, before the first message.
    private var growing = OutcomeStretch(first: 1, last: 0, outcome: .sent)
    /// All others, by their numbers. Messages that still wait leave gaps.
    private var stretches: [OutcomeStretch] = []
    private var reports: [OutcomeStretch] = []
    package private(set) var counts = Counts()

    package init() {}

    /// The message `id` has come to an outcome, once and for all.
    @inline(__always)
    package mutating func settle(_ id: UInt64, _ outcome: Outcome, isReported: Bool) {
        if id == growing.last &+ 1 && outcome == growing.outcome {
            growing.last = id
        } else {
            begin(id, outcome)
        }
        if isReported { report(OutcomeStretch(first: id, last: id, outcome: outcome)) }
    }

    /// Nil for a message that still waits, never was, or is forgotten.
    package subscript(id: UInt64) -> Outcome? {
        if id >= growing.first && id <= growing.last { return growing.outcome }
        let position = firstStretch(after: id)
        guard position > 0, id <= stretches[position &- 1].last else { return nil }
        return stretches[position &- 1].outcome
    }

    /// True if there is something for `takeReports`.
    package var hasReports: Bool { !reports.isEmpty }

    /// What is to be reported since the last call.
    package mutating func takeReports() -> [OutcomeStretch] {
        defer { reports = [] }
        return reports
    }

    private mutating func begin(_ id: UInt64, _ outcome: Outcome) {
        if growing.count > 0 { remember(growing) }
        growing = OutcomeStretch(first: id, last: id, outcome: outcome)
    }

    private mutating func remember(_ stretch: OutcomeStretch) {
        var stretch = stretch
        let position = firstStretch(after: stretch.first)
        if position < stretches.count, stretch.touches(stretches[position]) {
            stretch.last = stretches[position].last
            stretches.remove(at: position)
        }
        if position > 0, stretches[position &- 1].touches(stretch) {
            stretches[position &- 1].last = stretch.last
        } else {
            stretches.insert(stretch, at: position)
        }
        if stretches.count >= Self.stretchesMin &+ Self.excessMax { stretches.removeFirst(Self.excessMax) }
    }

    /// Where the first stretch stands that begins beyond `id`.
    private func firstStretch(after id: UInt64) -> Int {
        var (low, high) = (0, stretches.count)
        while low < high {
            let middle = (low &+ high) / 2
            if stretches[middle].first <= id { low = middle &+ 1 } else { high = middle }
        }
        return low
    }

    private mutating func report(_ one: OutcomeStretch) {
        switch one.outcome {
        case .pending, .sent: break
        case .expired: counts.expired &+= 1
        case .dropped: counts.dropped &+= 1
        case .cancelled: counts.cancelled &+= 1
        }
        if let last = reports.last, last.touches(one) {
            reports[reports.count &- 1].last = one.last
        } else {
            reports.append(one)
        }
    }
}
