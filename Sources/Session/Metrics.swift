import Heartbeat

/// Counters of the receiving side and of the connection's life; those of the sending side are the outbox's.
package struct SessionMetrics {
    package var messagesReceived: UInt64 = 0
    package var bytesReceived: UInt64 = 0
    package var beatsMissed: UInt64 = 0
    package var pingsReceived: UInt64 = 0
    package var pongsReceived: UInt64 = 0
    package var reconnections: UInt64 = 0
    package var attemptsFailed: UInt64 = 0
    package var errors: UInt64 = 0
    package var openedAt: Instant?
    package var lastMessageAt: Instant?
    package var lastBytesAt: Instant?

    /// Of the end for good: what had not been sent, and whether the peer had not answered the close frame.
    package var messagesUnsent: UInt64 = 0
    package var bytesUnsent: UInt64 = 0
    package var wasCutOff = false

    package var attempts: UInt64 = 0
    package var rotations: UInt64 = 0
    package var duplicatesDropped: UInt64 = 0

    package init() {}
}

/// Counters of the sending side.
package struct OutboxMetrics {
    package var messagesSent: UInt64 = 0
    package var bytesSent: UInt64 = 0
    package var beatsSent: UInt64 = 0
    package var pongsSent: UInt64 = 0

    package init() {}

    static func + (a: OutboxMetrics, b: OutboxMetrics) -> OutboxMetrics {
        var sum = a
        sum.messagesSent &+= b.messagesSent
        sum.bytesSent &+= b.bytesSent
        sum.beatsSent &+= b.beatsSent
        sum.pongsSent &+= b.pongsSent
        return sum
    }
}
