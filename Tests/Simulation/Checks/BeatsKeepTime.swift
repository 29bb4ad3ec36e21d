import Heartbeat
import Session

/// Pings and beats are handed to the kernel on time, each one interval after the one before, whatever else happens, as long as the kernel
/// takes bytes and the process runs; those that a standstill skipped are not made up for.
final class BeatsKeepTime: Checker {
    private struct Rhythm {
        let began: Instant
        let interval: Interval
        /// By how much one may come sooner: nothing, unless the interval follows how the connection does.
        var leeway = Interval.zero
        /// When the next one is due.
        var due: Mark
    }

    private enum Beat: String {
        case ping
        case beat
    }

    private var rhythms: [UInt64: [Beat: Rhythm]] = [:]
    private var disturbance = Disturbance()
    /// When a probe was last asked for: its ping or beat comes between those of the rhythm.
    private var probed = Instant(nanoseconds: 0)

    override func see(_ fact: Fact) {
        switch fact {
        case .event(let event):
            guard case .heartbeat(let note) = event.kind else { return }
            switch (note.kind, note.subject) {
            case (.started, _): begin(event.epoch, event.time)
            case (.stopped, _): rhythms[event.epoch] = nil
            case (.beatSent, .ping): sent(.ping, event.epoch, event.time)
            case (.beatSent, .beat): sent(.beat, event.epoch, event.time)
            default: break
            }
        case .probed: probed = world.timeline.now
        case .releaseAsked, .released: rhythms = [:]
        case .settled, .audit:
            disturbance.look(client)
            for rhythm in rhythms.values { for (beat, rhythm) in rhythm { checkDue(rhythm, beat) } }
        default: break
        }
    }

    private func begin(_ epoch: UInt64, _ now: Instant) {
        func rhythm(_ interval: Interval?) -> Rhythm? { interval.map { Rhythm(began: now, interval: $0, due: mark(at: now + $0)) } }
        rhythms[epoch] = [:]
        // A watch that expires asks with a ping between those of the rhythm.
        if plan.silence == nil { rhythms[epoch]?[.ping] = rhythm(plan.session.heartbeat.ping?.interval) }
        if let adaptive = plan.session.heartbeat.adaptive { rhythms[epoch]?[.ping]?.leeway = adaptive.good - adaptive.poor }
        rhythms[epoch]?[.beat] = rhythm(plan.beatEvery)
    }

    private func mark(at time: Instant) -> Mark { Mark(time: time, frozen: world.machine.frozen) }

    private func sent(_ beat: Beat, _ epoch: UInt64, _ time: Instant) {
        guard let present = rhythms[epoch]?[beat] else { return }
        disturbance.look(client)
        // What waited for the kernel is handed over in a heap.
        let window = now - present.due.time + present.interval
        if isUndisturbed(for: window) && world.timeline.now - probed > window + .seconds(1) {
            // The one before came a little late, perhaps, and this one in time.
            let least = present.leeway == .zero ? .zero : present.leeway + slack(since: present.due)
            expect(present.due.time - time <= least, "a \(beat) is sent \((present.due.time - time).text) before its time")
        }
        checkDue(present, beat)
        guard present.leeway == .zero else {
            rhythms[epoch]?[beat]?.due = mark(at: time + present.interval)
            return
        }
        // The rhythm keeps its phase.
        let passed = (time - present.began).nanoseconds / present.interval.nanoseconds
        rhythms[epoch]?[beat]?.due = mark(at: present.began + present.interval * (passed + 1))
    }

    private func checkDue(_ rhythm: Rhythm, _ beat: Beat) {
        guard now > rhythm.due.time else { return }
        let late = now - rhythm.due.time
        if late > slack(since: rhythm.due) && isUndisturbed(for: late) { fail("a \(beat) is \(late.text) late") }
    }

    private func isUndisturbed(for time: Interval) -> Bool { world.timeline.now - disturbance.last > time + .seconds(1) }
}
