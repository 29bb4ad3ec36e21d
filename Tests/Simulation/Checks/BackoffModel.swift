import Heartbeat
import Session
import WebSocket

/// What the documentation says of delays between attempts, worked out once more.
struct BackoffModel {
    struct Range {
        let low: Interval
        let high: Interval
        /// Backoff and jitter alone.
        var isPure = true
        /// What the server asked for of it.
        var asked = Interval.zero

        static let zero = Range(low: .zero, high: .zero, isPure: false)
    }

    var failures = 0
    private let settings: SessionConfiguration

    init(_ settings: SessionConfiguration) {
        self.settings = settings
    }

    /// Before jitter.
    private var delay: Interval {
        let backoff = settings.backoff
        var delay = min(backoff.base, backoff.cap)
        for _ in 1..<max(2, min(failures, 10_000)) where failures > 1 {
            let grown = delay.nanoseconds.multipliedFullWidth(by: Int64(backoff.factorPercent))
            guard grown.high == 0, grown.low < UInt64(Int64.max) else { return backoff.cap }
            delay = min(Interval(nanoseconds: Int64(grown.low) / 100), backoff.cap)
            if delay == backoff.cap || backoff.factorPercent == 100 { break }
        }
        return delay
    }

    private var jittered: Range {
        let quarter = Interval(nanoseconds: delay.nanoseconds / 4)
        let half = Interval(nanoseconds: delay.nanoseconds / 2)
        return switch settings.backoff.jitter {
        case .full: Range(low: .zero, high: delay)
        case .equal: Range(low: half, high: delay)
        case .quarter: Range(low: delay, high: delay + quarter)
        case .none: Range(low: delay, high: delay)
        }
    }

    func range(after failure: Failure) -> Range {
        let jittered = jittered
        guard let asked = asked(by: failure) else { return jittered }
        return Range(low: max(jittered.low, asked.low), high: max(jittered.high, asked.high), isPure: false, asked: asked.low)
    }

    /// The floor that a server asks for: Retry-After up to a quarter more, a while for a restart, longer for a service that asks for it.
    private func asked(by failure: Failure) -> Range? {
        let most = settings.retry.retryAfterMax
        func drawn(_ low: Interval, _ high: Interval) -> Range {
            let top = min(high, most)
            return Range(low: min(low, Interval(nanoseconds: top.nanoseconds / 2)), high: top)
        }
        switch failure {
        case .handshake(.refused(let refusal)):
            if let retryAfter = refusal.retryAfterMs {
                let low = min(.milliseconds(Int64(retryAfter)), most)
                return Range(low: low, high: low + Interval(nanoseconds: low.nanoseconds / 4))
            }
            return refusal.status == 429 || refusal.status == 503 ? drawn(.seconds(5), .seconds(30)) : nil
        case .closedByPeer(let frame):
            return frame.code == 1012 ? drawn(.seconds(5), .seconds(30)) : frame.code == 1013 ? drawn(.seconds(30), .seconds(60)) : nil
        default: return nil
        }
    }

    /// The server is followed to a new connection at once, unless it sends away all too often.
    func isNotice(_ failure: Failure, isStable: Bool) -> Bool {
        guard settings.rotateOnNotice == .all, case .closedByPeer(let frame) = failure else { return false }
        return (frame.code == 1001 || frame.code == 1012) && (isStable || failures == 0)
    }
}
