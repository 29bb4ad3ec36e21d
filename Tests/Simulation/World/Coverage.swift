/// What has been seen, and how often: a run that never met a fault proves nothing about it.
final class Coverage {
    private(set) var counts: [String: Int] = [:]

    func count(_ what: String, _ times: Int = 1) { counts[what, default: 0] += times }

    var lines: [String] { counts.keys.sorted().map { "\($0)\t\(counts[$0] ?? 0)" } }
}
