import Heartbeat

/// The attempts that begin at one host, no more than so many within any minute, and the line of those that wait for their turn.
///
/// Without a line attempts may begin together. Whoever finds the minute full waits in line, first come first served, and turns come evenly
/// spaced, so that those who wait do not return together.
struct AttemptBudget: ~Copyable {
    private struct Place {
        let token: UInt64
        /// When it was told to come back.
        var due: Instant
    }

    private static let minute = Interval.seconds(60)
    /// The largest limit there is; no older attempt matters to any.
    private static let attemptsKept = 10_000
    /// Whoever is later than this has given up without a word.
    private static let lateness = Interval.seconds(5)

    private struct Attempt {
        let token: UInt64
        let began: Instant
    }

    /// Those of the last minute, oldest first.
    private var attempts = RingQueue<Attempt>()
    private var line: [Place] = []
    private var nextTurn = Instant(nanoseconds: .min)

    /// No attempt of the last minute and nobody in line.
    mutating func isIdle(_ now: Instant) -> Bool {
        forget(now)
        return attempts.isEmpty && line.isEmpty
    }

    /// Counts an attempt, or gives the time to ask again.
    mutating func begin(_ token: UInt64, perMinuteMax: Int, _ now: Instant, _ random: inout Random) -> Instant? {
        forget(now)
        guard perMinuteMax > 0 else {
            leave(token)
            count(token, now)
            return nil
        }
        let step = Interval(nanoseconds: Self.minute.nanoseconds / Int64(perMinuteMax))
        let place = line.firstIndex { $0.token == token } ?? line.count
        if place == 0 && attempts.count < perMinuteMax && (line.isEmpty || now >= nextTurn) {
            leave(token)
            count(token, now)
            // A turn that was taken a little late does not put off the later ones.
            let isOnTime = now >= nextTurn && now < nextTurn + step
            nextTurn = (isOnTime ? nextTurn : now) + step
            return nil
        }
        let due = turn(place, perMinuteMax, step, now, &random)
        if place < line.count { line[place].due = due } else { line.append(Place(token: token, due: due)) }
        return due
    }

    /// The last attempt that was counted for this token was not made.
    mutating func takeBack(_ token: UInt64) {
        guard let place = (0..<attempts.count).last(where: { attempts[$0].token == token }) else { return }
        for index in place..<(attempts.count - 1) { attempts[index] = attempts[index + 1] }
        _ = attempts.popLast()
    }

    mutating func leave(_ token: UInt64) {
        if let place = line.firstIndex(where: { $0.token == token }) { line.remove(at: place) }
    }

    /// When the turn of a place in the line comes, as it looks now. What is more than a minute away is not worth a promise.
    private func turn(_ place: Int, _ perMinuteMax: Int, _ step: Interval, _ now: Instant, _ random: inout Random) -> Instant {
        let waited = step.nanoseconds.multipliedReportingOverflow(by: Int64(place))
        var turn = max(now, nextTurn) + Interval(nanoseconds: waited.overflow ? .max : waited.partialValue)
        // The attempt whose minute must be over first.
        let before = attempts.count &- perMinuteMax &+ place
        if before >= 0 && before < attempts.count { turn = max(turn, attempts[before].began + Self.minute) }
        guard turn > now + Self.minute else { return turn }
        return now + random.interval(from: Interval(nanoseconds: Self.minute.nanoseconds / 2), through: Self.minute)
    }

    private mutating func count(_ token: UInt64, _ now: Instant) {
        if attempts.count >= Self.attemptsKept { _ = attempts.popFirst() }
        attempts.append(Attempt(token: token, began: now))
    }

    private mutating func forget(_ now: Instant) {
        while !attempts.isEmpty && now >= attempts[0].began + Self.minute { _ = attempts.popFirst() }
        line.removeAll { now > $0.due + Self.lateness }
    }
}
