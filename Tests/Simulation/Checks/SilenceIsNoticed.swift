import Heartbeat
import Session

/// A connection on which nothing arrives is given up once ping.missed_max pings in a row have gone unanswered for ping.timeout, no sooner and
/// no later; after a suspension or a change of the network, within the time that a probe has.
final class SilenceIsNoticed: Checker {
    /// The last sign of life of each connection whose heartbeats run.
    private var signs: [UInt64: Mark] = [:]
    private var probes: [UInt64: Mark] = [:]
    private var heard: [UInt64: Instant] = [:]
    /// Nobody read for a while, and all that was asked meanwhile got its time anew together.
    private var wasPaused: Set<UInt64> = []

    private var ping: PingSchedule.Configuration? { plan.session.heartbeat.ping }
    private var countsAcks: Bool { plan.session.heartbeat.liveness == .pong }
    private static let probeTimeMax = Interval.seconds(5)

    override func see(_ fact: Fact) {
        switch fact {
        case .read(_, let epoch): if !countsAcks && signs[epoch] != nil { sign(epoch) }
        case .probed: for epoch in signs.keys { if probes[epoch] == nil { probes[epoch] = mark } }
        case .releaseAsked, .released: signs = [:]
        case .audit, .settled: for epoch in signs.keys.sorted() { checkNoticed(epoch) }
        case .event(let event):
            switch event.kind {
            case .heartbeat(let note): take(note, event.epoch)
            case .closed(_, _, .heartbeat(.pingsMissed(let count), _)?): checkNotTooSoon(count, event)
            case .readingPaused: wasPaused.formUnion(signs.keys)
            default: break
            }
        default: break
        }
    }

    private func take(_ note: HeartbeatNote, _ epoch: UInt64) {
        switch (note.kind, note.subject) {
        case (.started, _): sign(epoch)
        case (.stopped, _):
            checkNoticed(epoch)
            signs[epoch] = nil
        case (.beatAcked, .ping): if countsAcks { sign(epoch) }
        default: break
        }
    }

    private func sign(_ epoch: UInt64) {
        signs[epoch] = mark
        heard[epoch] = now
        probes[epoch] = nil
    }

    private func checkNoticed(_ epoch: UInt64) {
        // What nobody reads is no silence.
        if client.driver.isReadingPaused { (signs[epoch], probes[epoch]) = (mark, nil) }
        guard let since = signs[epoch], plan.session.heartbeat.failureThreshold != nil else { return }
        if let ping { check(epoch, since, ping.interval * Int64(ping.missedMax) + ping.timeout) }
        guard !countsAcks, let probe = probes[epoch] else { return }
        // The probe asks if a watch may, and it may ask while an earlier question still waits for its answer.
        check(epoch, probe, min(plan.session.heartbeat.probeTimeout, Self.probeTimeMax))
    }

    private func check(_ epoch: UInt64, _ since: Mark, _ time: Interval) {
        let silence = now - since.time
        let bound = time + slack(since: since)
        expect(silence <= bound, "nothing was heard on connection \(epoch) for \(silence.text), which must be noticed within \(bound.text)")
    }

    private func checkNotTooSoon(_ count: Int, _ event: Event) {
        guard let ping, let heard = heard[event.epoch] else { return }
        expect(count == ping.missedMax, "given up after \(count) missed pings, not \(ping.missedMax)")
        let silence = event.time - heard
        // The answer to an earlier ping may have come while the first of those that were missed was out.
        let shortest = plan.session.heartbeat.adaptive?.poor ?? ping.interval
        let apart = wasPaused.contains(event.epoch) ? Interval.zero : shortest * Int64(ping.missedMax - 1)
        let least = apart + (countsAcks ? .zero : ping.timeout)
        // A ping that a standstill has made late is followed by the next in its time.
        guard world.timeline.now - world.machine.lastStandstill > silence + ping.interval * 2 else { return }
        expect(silence >= least, "given up after a silence of \(silence.text), which is less than \(least.text)")
    }
}
