import Heartbeat
import WebSocket

/// What follows a failure: another attempt and when, or none.
package struct RetryPolicy {
    package enum Decision: Equatable {
        /// No attempt follows.
        case final
        /// `leastDelay` of it was asked for by the server.
        case retry(after: Interval, leastDelay: Interval)
    }

    /// Final, though time might heal them.
    package var finalCodes = RetryCodes()
    /// Not final, though a person should mend them.
    package var retryCodes = RetryCodes()
    /// How much of what servers ask for is heeded.
    package var retryAfterMax = Interval.seconds(3600)

    package init() {}

    /// `backoff` has the failure already. `wasEstablished`: this application has had a connection with these settings before.
    package func decision(after failure: Failure, wasEstablished: Bool, _ backoff: Backoff, _ random: inout Random) -> Decision {
        guard !isFinal(failure, wasEstablished: wasEstablished), !backoff.isExhausted else { return .final }
        let (usual, least) = (backoff.delay(&random), leastDelay(after: failure, &random))
        return .retry(after: max(usual, least), leastDelay: least)
    }

    private func isFinal(_ failure: Failure, wasEstablished: Bool) -> Bool {
        if let code = failure.code {
            if finalCodes.contains(code) { return true }
            if retryCodes.contains(code) { return false }
        }
        return !failure.isRetryable && !(wasEstablished && failure.isInvalidAnswer)
    }

    /// What the server asks for, drawn so that clients which are told the same do not return together. Close code 1012 asks for 5 to 30 s
    /// at random; 1013 asks for another address, or for no return until a person wants it (IANA WebSocket Close Code Number Registry, which
    /// cites https://www.ietf.org/mail-archive/web/hybi/current/msg09670.html): up to a minute stands for that here. HTTP 429 (RFC 6585
    /// section 4) and 503 (RFC 9110 section 15.6.4) say in Retry-After how long; without it they are given the time of a restart.
    private func leastDelay(after failure: Failure, _ random: inout Random) -> Interval {
        switch failure {
        case .handshake(.refused(let refusal)), .handshake(.redirect(_, let refusal)):
            if let asked = refusal.retryAfterMs {
                return random.withUpToAQuarterMore(min(.milliseconds(Int64(clamping: asked)), retryAfterMax))
            }
            return refusal.status == 429 || refusal.status == 503 ? drawn(from: .seconds(5), through: .seconds(30), &random) : .zero
        case .closedByPeer(let frame):
            switch frame.code {
            case 1012: return drawn(from: .seconds(5), through: .seconds(30), &random)
            case 1013: return drawn(from: .seconds(30), through: .seconds(60), &random)
            default: return .zero
            }
        default: return .zero
        }
    }

    /// What is heeded stays a range where retryAfterMax cuts it.
    private func drawn(from low: Interval, through high: Interval, _ random: inout Random) -> Interval {
        let most = min(high, retryAfterMax)
        return random.interval(from: min(low, Interval(nanoseconds: most.nanoseconds / 2)), through: most)
    }
}
