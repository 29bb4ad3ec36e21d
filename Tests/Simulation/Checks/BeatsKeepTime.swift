import Heartbeat
import Session

/// Pings and beats are handed to the kernel on time, each one interval after the one before, whatever else happens, as long as the kernel
/// takes bytes and the process runs; those that a standstill skipped are not made up for.
final class BeatsKeepTime: Checker {
    private struct Rhythm {
        let began: Instant
        let interval: Interval
        /// When the next one is due.
        var due: Mark
    }

    private var pings: Rhythm?
    private var beats: Rhythm?
    private var disturbance = Disturbance()

    /// With a watch that probes, pings come between those of the rhythm.
    private var pingsHaveRhythm: Bool { plan.silence == nil }

    override func see(_ fact: Fact) {
        switch fact {
        case .event(let event):
            guard case .heartbeat(let note) = event.kind else { return }
            switch (note.kind, note.subject) {
            case (.started, _): begin(event.time)
            case (.stopped, _): (pings, beats) = (nil, nil)
            case (.beatSent, .ping): sent(&pings, "ping", event.time)
            case (.beatSent, .beat): sent(&beats, "beat", event.time)
            default: break
            }
        case .releaseAsked: (pings, beats) = (nil, nil)
        case .settled, .audit:
            disturbance.look(client)
            checkDue(pings, "ping")
            checkDue(beats, "beat")
        default: break
        }
    }

    private func begin(_ now: Instant) {
        func rhythm(_ interval: Interval?) -> Rhythm? { interval.map { Rhythm(began: now, interval: $0, due: mark(at: now + $0)) } }
        pings = pingsHaveRhythm ? rhythm(plan.session.heartbeat.ping?.interval) : nil
        beats = rhythm(plan.beatEvery)
    }

    private func mark(at time: Instant) -> Mark { Mark(time: time, frozen: world.machine.frozen) }

    private func sent(_ rhythm: inout Rhythm?, _ name: String, _ time: Instant) {
        guard let present = rhythm else { return }
        // What waited for the kernel is handed over in a heap.
        if isUndisturbed(for: now - present.due.time + present.interval) {
            expect(time >= present.due.time, "a \(name) is sent \((present.due.time - time).text) before its time")
        }
        checkDue(present, name)
        // The rhythm keeps its phase.
        let passed = (time - present.began).nanoseconds / present.interval.nanoseconds
        rhythm?.due = mark(at: present.began + present.interval * (passed + 1))
    }

    private func checkDue(_ rhythm: Rhythm?, _ name: String) {
        guard let rhythm, now > rhythm.due.time else { return }
        let late = now - rhythm.due.time
        if late > slack(since: rhythm.due) && isUndisturbed(for: late) { fail("a \(name) is \(late.text) late") }
    }

    private func isUndisturbed(for time: Interval) -> Bool { world.timeline.now - disturbance.last > time + .seconds(1) }
}
