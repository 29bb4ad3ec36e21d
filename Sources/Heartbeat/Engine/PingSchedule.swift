/// Protocol pings (RFC 6455 sections 5.5.2, 5.5.3): when to send one, which pong answers it, and when silence means that the peer is gone.
///
/// One schedule serves one connection: a pong that belongs to an earlier connection cannot match, because each schedule has its own salt.
package struct PingSchedule {
    package struct Configuration {
        package var interval: Interval
        package var timeout: Interval
        package var missedMax: Int
        /// The first ping comes at any time within the interval, so that those who connect together are not pinged together.
        package var isSpread = false

        package init(interval: Interval, timeout: Interval, missedMax: Int) {
            self.interval = interval
            self.timeout = timeout
            self.missedMax = missedMax
        }
    }

    /// The answer to a ping.
    package struct Answer: Equatable {
        package let roundTrip: Interval
        /// The ping had counted as missed.
        package let isLate: Bool
    }

    package enum Output: Equatable {
        case idle
        case send(payload: UInt64)
        /// A ping was not answered and nothing else arrived within the timeout; so many in a row by now.
        case missed(count: Int)
        /// `missedMax` pings in a row went unanswered, and nothing else arrived either.
        case peerIsGone(missed: Int)
    }

    private struct Outstanding {
        let payload: UInt64
        let sent: Instant
        /// When the wait for the answer began: later than `sent` if reading was paused meanwhile.
        var awaitedFrom: Instant
        /// True once its silence counts no more: it was found missed, or something arrived after it was sent.
        var isSettled = false
        var isMissed = false
    }

    private let configuration: Configuration
    private let salt: UInt64
    private var cadence: Cadence
    /// From the next ping on.
    private var intervalAfterNext: Interval
    private var sequence: UInt64 = 0
    /// Oldest first; never more than `outstandingMax`.
    private var outstanding: [Outstanding] = []
    private var missedInARow = 0
    private var pausedAt: Instant?

    /// More unanswered pings than this are not remembered: their pongs count as unsolicited.
    private static let outstandingMax = 64

    /// `salt` is random; its low half is replaced by the ping's number.
    package init(_ configuration: Configuration, salt: UInt64, opened: Instant) {
        self.configuration = configuration
        self.salt = salt & 0xFFFF_FFFF_0000_0000
        intervalAfterNext = configuration.interval
        let start = configuration.isSpread ? Self.spread(opened, over: configuration.interval, salt) : opened
        cadence = Cadence(every: configuration.interval, from: start)
    }

    /// A moment of the interval before this one, and one that others of the same interval share: thousands of connections are due in a few
    /// hundred handfuls then, and the thread wakes for each handful, not for each connection.
    private static func spread(_ opened: Instant, over interval: Interval, _ salt: UInt64) -> Instant {
        let step = max(1, interval.nanoseconds / stepsMax)
        let start = opened.nanoseconds &- Int64(clamping: salt >> 1) % max(1, interval.nanoseconds)
        return Instant(nanoseconds: start &- start % step) + Interval(nanoseconds: step)
    }

    private static let stepsMax: Int64 = 300

    /// When `poll` next has something to do.
    package var deadline: Instant {
        guard pausedAt == nil, let next = outstanding.first(where: { !$0.isSettled }) else { return cadence.due }
        return min(cadence.due, verdict(next))
    }

    /// When the next ping is sent.
    package var due: Instant { cadence.due }

    /// Between the last ping and the next.
    package var interval: Interval { cadence.interval }

    /// Does one thing that is due; call until `idle`. Early calls are harmless.
    package mutating func poll(_ now: Instant) -> Output {
        if pausedAt == nil, let index = outstanding.firstIndex(where: { !$0.isSettled }), now >= verdict(outstanding[index]) {
            outstanding[index].isSettled = true
            outstanding[index].isMissed = true
            missedInARow += 1
            return missedInARow >= configuration.missedMax ? .peerIsGone(missed: missedInARow) : .missed(count: missedInARow)
        }
        guard cadence.tick(now) else { return .idle }
        cadence = Cadence(every: intervalAfterNext, from: lastTick)
        sequence &+= 1
        let payload = salt | (sequence & 0xFFFF_FFFF)
        // The oldest unanswered pings stay: their time runs out first, and forgetting them would put the verdict off for ever.
        if outstanding.count == Self.outstandingMax { outstanding.remove(at: outstanding[0].isSettled ? 0 : Self.outstandingMax - 1) }
        outstanding.append(Outstanding(payload: payload, sent: now, awaitedFrom: now))
        return .send(payload: payload)
    }

    /// The ping that is due next comes no later for it: a shorter interval counts from the last one, a longer one from the next. One that
    /// would have been due already is due now.
    package mutating func setInterval(_ interval: Interval, _ now: Instant) {
        intervalAfterNext = interval
        guard interval < cadence.interval else { return }
        cadence = Cadence(every: interval, from: max(lastTick, now + Interval(nanoseconds: -interval.nanoseconds)))
    }

    private var lastTick: Instant { Instant(nanoseconds: cadence.due.nanoseconds &- cadence.interval.nanoseconds) }

    /// Bytes of any kind arrived: a peer that sends is there, even if its pong is stuck behind a large message. Silence is counted anew from
    /// the next ping on; pongs of earlier ones still tell the round-trip time.
    package mutating func bytesReceived() {
        missedInARow = 0
        // Pings are settled oldest first, so the last one tells about all.
        guard outstanding.last?.isSettled == false else { return }
        for index in outstanding.indices { outstanding[index].isSettled = true }
    }

    /// A pong arrived: nil if it answers none of our pings. An answer to the latest ping stands for the earlier ones
    /// too (section 5.5.3).
    package mutating func pongReceived(_ payload: UInt64, _ now: Instant) -> Answer? {
        guard let index = outstanding.lastIndex(where: { $0.payload == payload }) else { return nil }
        let answer = Answer(roundTrip: now - outstanding[index].sent, isLate: outstanding[index].isMissed)
        outstanding.removeFirst(index + 1)
        missedInARow = 0
        return answer
    }

    /// Reading stopped because the application is slow: a pong that nobody reads is not a missed one.
    package mutating func readingPaused(_ now: Instant) {
        if pausedAt == nil { pausedAt = now }
    }

    /// Reading goes on: what was outstanding gets its full time anew.
    package mutating func readingResumed(_ now: Instant) {
        guard pausedAt != nil else { return }
        pausedAt = nil
        for index in outstanding.indices { outstanding[index].awaitedFrom = now }
    }

    private func verdict(_ ping: Outstanding) -> Instant { ping.awaitedFrom + configuration.timeout }
}
