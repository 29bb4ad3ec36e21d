import Heartbeat
import Session
import WebSocket

/// An attempt ends within connect.timeout. The next one comes after a delay that backoff and jitter allow, and not before what the server asks
/// for; delays with jitter are not all alike.
final class AttemptsAreTimed: Checker {
    private var backoff: BackoffModel
    private var attempts: [LinkPlace: Mark] = [:]
    private var openedAt: [UInt64: Instant] = [:]
    /// When the last attempt or connection ended, and how long the wait may be that followed.
    private var wait: (from: Mark, low: Interval, high: Interval, asked: Interval)?
    /// A connection is being made that is to take the place of the present one.
    private var hasSuccessor = false
    /// Where in their ranges the last delays lay, in tenths.
    private var draws: [Int] = []

    override init(_ client: Client) {
        backoff = BackoffModel(client.plan.session)
        super.init(client)
    }

    override func see(_ fact: Fact) {
        switch fact {
        case .attemptBegan(let place):
            attempts[place] = mark
            attemptBegan()
        case .event(let event): check(event)
        // After a suspension or in another network it begins as soon as the server allows.
        case .probed: if let present = wait { wait = (present.from, min(present.low, present.asked), present.high, present.asked) }
        case .closeAsked, .released: (attempts, wait) = ([:], nil)
        case .audit, .ended: checkAttempts()
        default: break
        }
    }

    private func check(_ event: Event) {
        switch event.kind {
        case .opened:
            checkAttempts()
            attempts = [:]
            openedAt[event.epoch] = event.time
        case .attemptFailed(let failure, _, let delay): attemptFailed(failure, delay)
        case .closed(_, _, let failure):
            if client.active?.epoch == event.epoch, let failure { lost(event, failure) }
        case .connectDue: attemptBegan()
        case .attemptHeld(let time, _):
            endWait()
            hasSuccessor = false
            wait = (mark, client.active == nil ? time : .zero, time, .zero)
        case .stateChanged:
            hasSuccessor = false
            if event.state.isFinal { (attempts, wait) = ([:], nil) }
        case .rotation(.switched, _, _): (wait, hasSuccessor) = (nil, false)
        default: break
        }
    }

    private func attemptFailed(_ failure: Failure, _ delay: Interval?) {
        checkAttempts()
        attempts = [:]
        hasSuccessor = false
        // Attempts of rotations have delays of their own, which grow like the others.
        if client.active == nil { backoff.failures += 1 }
        guard let delay else { return }
        let range = backoff.range(after: failure)
        if client.active == nil { note(delay, in: range) }
        // A rotation can be asked for at any time.
        wait = (mark, client.active == nil ? delay : .zero, delay, client.active == nil ? range.asked : .zero)
    }

    /// A successor that is being made takes the place of the lost connection; without one the next attempt has to wait.
    private func lost(_ event: Event, _ failure: Failure) {
        guard !hasSuccessor, event.state != .closing else { return }
        let isStable = event.time >= (openedAt[event.epoch] ?? event.time) + plan.session.stableAfter
        let isNotice = backoff.isNotice(failure, isStable: isStable)
        backoff.failures = isStable ? 0 : backoff.failures + 1
        let range = isNotice ? .zero : backoff.range(after: failure)
        wait = (mark, range.low, range.high, range.asked)
    }

    private func attemptBegan() {
        hasSuccessor = client.active != nil
        endWait()
    }

    private func endWait() {
        guard let wait else { return }
        self.wait = nil
        let delay = now - wait.from.time
        expect(delay >= wait.low, "the next attempt comes after \(delay.text), which is sooner than \(wait.low.text)")
        let latest = wait.high + slack(since: wait.from)
        expect(delay <= latest, "the next attempt comes after \(delay.text), which is later than \(latest.text)")
    }

    private func note(_ delay: Interval, in range: BackoffModel.Range) {
        expect(
            delay >= range.low && delay <= range.high, "a delay of \(delay.text), which is not from \(range.low.text) to \(range.high.text)"
        )
        let width = range.high - range.low
        guard range.isPure, width >= .milliseconds(100) else { return }
        draws.append(min(9, Int((delay - range.low).nanoseconds * 10 / width.nanoseconds)))
        guard draws.count >= 12 else { return }
        // By chance that happens once in a hundred thousand million times.
        expect(
            Set(draws.suffix(12)).count > 1, "the last twelve delays lie all in tenth \(draws.last ?? 0) of their ranges: that is no jitter"
        )
    }

    private func checkAttempts() {
        for attempt in attempts.values {
            let time = now - attempt.time
            expect(time <= plan.session.connectTimeout + slack(since: attempt), "an attempt has taken \(time.text) and is not over")
        }
    }
}
