/// How often in a row heartbeats have failed, apart for each rule and for the detector: what goes well elsewhere hides no failure.
struct FailureCounts {
    private var counts: [(subject: HeartbeatNote.Subject, count: Int)] = []

    /// Of those that fail the most.
    var most: Int {
        var most = 0
        for entry in counts { most = max(most, entry.count) }
        return most
    }

    /// Gives how many failures in a row it is now.
    @inline(never)
    mutating func failed(_ subject: HeartbeatNote.Subject) -> Int {
        for index in counts.indices where counts[index].subject == subject {
            counts[index].count += 1
            return counts[index].count
        }
        counts.append((subject, 1))
        return 1
    }

    @inline(never)
    mutating func succeeded(_ subject: HeartbeatNote.Subject) {
        for index in counts.indices where counts[index].subject == subject { counts[index].count = 0 }
    }
}
