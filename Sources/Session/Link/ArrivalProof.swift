import Heartbeat

/// How many of a connection's messages have surely arrived: those that were written before a ping or beat that the peer acknowledged.
struct ArrivalProof {
    private(set) var arrived: UInt64 = 0
    /// The earliest beat since the last acknowledgement, and the messages before it.
    private var candidate: (sentAt: Instant, messages: UInt64)?

    var unacknowledgedSince: Instant? { candidate?.sentAt }

    mutating func beatSent(_ now: Instant, after messages: UInt64) {
        if candidate == nil { candidate = (now, messages) }
    }

    /// A beat was acknowledged that had been sent `roundTrip` ago. One sent before the candidate proves nothing new.
    mutating func beatAcked(_ now: Instant, roundTrip: Interval) {
        guard let candidate, now >= candidate.sentAt + roundTrip else { return }
        arrived = candidate.messages
        self.candidate = nil
    }
}
