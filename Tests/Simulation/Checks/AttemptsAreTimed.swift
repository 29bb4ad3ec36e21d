import Heartbeat
import Session

/// An attempt ends within connect.timeout. The next one comes after a delay between 0 and a bound, which begins at reconnect.base, doubles
/// with each failure up to reconnect.cap, and begins anew after a stable connection; the delays are not all alike.
final class AttemptsAreTimed: Checker {
    private var failures = 0
    private var attempt: Mark?
    private var openedAt = Instant(nanoseconds: 0)
    private var isOpen = false
    /// When the last attempt or connection ended, the bound of the wait that followed, and how long it is to be if that was told.
    private var wait: (from: Mark, bound: Interval, told: Interval?)?
    /// Where in their bounds the last delays lay, in tenths.
    private var draws: [Int] = []

    private var bound: Interval {
        var bound = plan.session.backoff.base
        for _ in 1..<max(2, min(failures, 64)) where failures > 1 { bound = min(bound * 2, plan.session.backoff.cap) }
        return min(bound, plan.session.backoff.cap)
    }

    override func see(_ fact: Fact) {
        switch fact {
        case .attemptBegan: attemptBegan()
        case .event(let event): check(event)
        case .audit, .ended: checkAttempt()
        default: break
        }
    }

    private func attemptBegan() {
        attempt = mark
        guard let wait else { return }
        self.wait = nil
        let delay = now - wait.from.time
        expect(
            delay <= wait.bound + slack(since: wait.from),
            "the next attempt comes after \(delay.text); after \(failures) failures the bound is \(wait.bound.text)")
        if let told = wait.told {
            expect(delay >= told, "the next attempt comes after \(delay.text), announced were \(told.text)")
            expect(delay <= told + slack(since: wait.from), "the next attempt comes after \(delay.text), announced were \(told.text)")
        }
        note(wait.told ?? delay, of: wait.bound)
    }

    /// Twelve delays in a row in the same tenth of their bounds are no chance.
    private func note(_ delay: Interval, of bound: Interval) {
        guard bound >= .milliseconds(100) else { return }
        draws.append(min(9, Int(delay.nanoseconds * 10 / bound.nanoseconds)))
        guard draws.count >= 12 else { return }
        expect(Set(draws.suffix(12)).count > 1, "the last twelve delays lie all in tenth \(draws.last ?? 0) of their bounds: that is no jitter")
    }

    private func check(_ event: Event) {
        switch event.kind {
        case .opened:
            checkAttempt()
            attempt = nil
            openedAt = event.time
            isOpen = true
        case .attemptFailed(_, _, let delay):
            checkAttempt()
            attempt = nil
            failures += 1
            wait = (mark, bound, delay)
            if let delay { expect(delay <= bound, "a delay of \(delay.text) after \(failures) failures, the bound is \(bound.text)") }
        case .closed:
            isOpen = false
            failures = event.time >= openedAt + plan.session.stableAfter ? 0 : failures + 1
            wait = (mark, bound, nil)
        default: break
        }
    }

    private func checkAttempt() {
        guard let attempt, !client.isReleaseAsked, client.closeAsked == nil else { return }
        let time = now - attempt.time
        expect(time <= plan.session.connectTimeout + slack(since: attempt), "an attempt has taken \(time.text) and is not over")
    }
}
