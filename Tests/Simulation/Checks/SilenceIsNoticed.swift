import Heartbeat
import Session

/// A connection on which nothing arrives is given up once ping.missed_max pings in a row have gone unanswered for ping.timeout, no sooner and
/// no later.
final class SilenceIsNoticed: Checker {
    private var isRunning = false
    private var lastSign = Instant(nanoseconds: 0)
    private var since: Mark?

    private var ping: PingSchedule.Configuration? { plan.session.heartbeat.ping }
    private var countsAcks: Bool { plan.session.heartbeat.liveness == .pong }

    override func see(_ fact: Fact) {
        switch fact {
        case .read: if !countsAcks { sign() }
        case .releaseAsked: isRunning = false
        case .audit, .settled: checkNoticed()
        case .event(let event):
            switch event.kind {
            case .heartbeat(let note): take(note)
            case .closed(_, _, .heartbeat(.pingsMissed(let count), _)?): checkNotTooSoon(count, event.time)
            default: break
            }
        default: break
        }
    }

    private func take(_ note: HeartbeatNote) {
        switch (note.kind, note.subject) {
        case (.started, _):
            isRunning = true
            sign()
        case (.stopped, _):
            checkNoticed()
            isRunning = false
        case (.beatAcked, .ping): if countsAcks { sign() }
        default: break
        }
    }

    private func sign() { since = mark }

    private func checkNoticed() {
        if client.driver.isReadingPaused { sign() }
        guard isRunning, let ping, let since, plan.session.heartbeat.failureThreshold != nil else { return }
        let silence = now - since.time
        let bound = ping.interval * Int64(ping.missedMax) + ping.timeout + slack(since: since)
        expect(silence <= bound, "nothing was heard for \(silence.text), which must be noticed within \(bound.text)")
    }

    private func checkNotTooSoon(_ count: Int, _ time: Instant) {
        guard let ping, let since else { return }
        expect(count == ping.missedMax, "given up after \(count) missed pings, not \(ping.missedMax)")
        let silence = time - since.time
        // The answer to an earlier ping may have come while the first of those that were missed was out.
        let least = ping.interval * Int64(ping.missedMax - 1) + (countsAcks ? .zero : ping.timeout)
        // A ping that a standstill has made late is followed by the next in its time.
        guard world.timeline.now - world.machine.lastStandstill > silence + ping.interval * 2 else { return }
        expect(silence >= least, "given up after a silence of \(silence.text), which is less than \(least.text)")
    }
}
