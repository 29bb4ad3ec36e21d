import Session

/// What has been seen, and how often: a run that never met a fault proves nothing about it.
final class Coverage {
    private(set) var counts: [String: Int] = [:]

    func count(_ what: String, _ times: Int = 1) { counts[what, default: 0] += times }

    func count(_ event: Event) {
        switch event.kind {
        case .stateChanged(let from, _, _): count("state: \(from) to \(event.state)")
        case .heartbeat(let note): count("heartbeat: \(note.kindName)")
        case .closed(_, _, let failure): count("closed: \(failure?.name ?? "as asked")")
        case .attemptFailed(let failure, _, _): count("attempt failed: \(failure.name)")
        case .rotation(let step, _, _): count("rotation: \(step)")
        case .circuit(let change): count("circuit: \(change.from) to \(change.to)")
        case .attemptHeld(_, let hold): count("attempt held: \(hold)")
        case .outcome(let stretch): count("outcome: \(stretch.outcome)", Int(stretch.count))
        default: count("event: \(event.kindName)")
        }
    }

    var lines: [String] { counts.keys.sorted().map { "\($0)\t\(counts[$0] ?? 0)" } }
}
