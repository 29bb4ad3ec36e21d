/// What is final, what is tried again, and when at the earliest.
import Heartbeat
import Session
import Testing
import WebSocket

struct RetryPolicyTests {
    private func refused(_ status: UInt16, retryAfterMs: UInt64? = nil) -> Failure {
        .handshake(.refused(HTTPRefusal(status: status, retryAfterMs: retryAfterMs)))
    }

    private func closed(_ code: UInt16) -> Failure { .closedByPeer(CloseFrame(code: code, reason: [])) }

    private func transport(_ kind: TransportFailure.Kind) -> Failure {
        .transport(TransportFailure(kind: kind, nativeCode: 0, sentence: ""))
    }

    private func policy(final: String = "", retry: String = "", retryAfterMax: Interval = .seconds(3600)) throws -> RetryPolicy {
        var policy = RetryPolicy()
        policy.finalCodes = try RetryCodes(parsing: bytes(final))
        policy.retryCodes = try RetryCodes(parsing: bytes(retry))
        policy.retryAfterMax = retryAfterMax
        return policy
    }

    private func isFinal(_ failure: Failure, _ policy: RetryPolicy = RetryPolicy(), wasEstablished: Bool = false) -> Bool {
        var random = Random(seed: 1)
        let backoff = Backoff(.init(base: .seconds(1), cap: .seconds(1)))
        return policy.decision(after: failure, wasEstablished: wasEstablished, backoff, &random) == .final
    }

    /// The delays of many clients after the same failure, with a backoff that adds nothing of its own; the smallest and the largest.
    private func delays(after failure: Failure, _ policy: RetryPolicy = RetryPolicy()) -> (least: Interval, most: Interval) {
        var (least, most) = (Interval(nanoseconds: .max), Interval.zero)
        for seed in 0..<1000 as Range<UInt64> {
            var random = Random(seed: seed)
            let backoff = Backoff(.init(base: .zero, cap: .zero))
            guard case .retry(let delay, _) = policy.decision(after: failure, wasEstablished: true, backoff, &random) else {
                Issue.record("\(failure) is final")
                break
            }
            (least, most) = (min(least, delay), max(most, delay))
        }
        return (least, most)
    }

    /// The delays begin and end where they should, and fill what is between: within a twentieth of it at both ends.
    private func expect(_ failure: Failure, _ policy: RetryPolicy = RetryPolicy(), from low: Int64, through high: Int64) {
        let (least, most) = delays(after: failure, policy)
        let edge = (high - low) / 20
        #expect(least >= .milliseconds(low) && least <= .milliseconds(low + edge), "\(failure): \(least)")
        #expect(most <= .milliseconds(high) && most >= .milliseconds(high - edge), "\(failure): \(most)")
    }

    // MARK: What is final

    @Test func goesByTheFailureAlone() {
        for status in UInt16(100)...999 { #expect(isFinal(refused(status)) == !refused(status).isRetryable) }
        for code in UInt16(1000)...4999 { #expect(isFinal(closed(code)) == !closed(code).isRetryable) }
        for failure in [
            Failure.connectTimeout, .handshakeTimeout, .slowConsumer, .protocolViolation(.reservedBits),
            .heartbeat(.pingsMissed(2), closeCode: 3008), transport(.lost), transport(.connect), transport(.tls),
        ] {
            #expect(!isFinal(failure))
        }
        for kind in [TransportFailure.Kind.certificate, .clientCertificate, .tlsVersion] { #expect(isFinal(transport(kind))) }
        #expect(isFinal(transport(.proxy(.refusal(httpStatus: 407, isRetryable: false)))))
    }

    @Test func takesAnInvalidAnswerForAPassingFaultOfAServerThatHasWorkedBefore() {
        for error in [HandshakeError.acceptWrong, .upgradeMissing, .head(.malformedStartLine), .unaskedSubprotocol] {
            #expect(isFinal(.handshake(error)))
            #expect(!isFinal(.handshake(error), wasEstablished: true))
        }
        #expect(isFinal(refused(404), wasEstablished: true))
        #expect(isFinal(.handshake(.redirect(.downgrade, HTTPRefusal(status: 302))), wasEstablished: true))
        #expect(isFinal(transport(.certificate), wasEstablished: true))
    }

    @Test func followsTheCodesOfTheConfiguration() throws {
        let policy = try policy(final: "503, 1000,4000,1006,3008,1009,502", retry: "401,302, 1008,407")
        for failure in [
            refused(503), closed(1000), closed(4000), transport(.lost), .heartbeat(.pingsMissed(1), closeCode: 3008),
            .protocolViolation(.messageTooLarge(limit: 1)), transport(.proxy(.refusal(httpStatus: 502, isRetryable: true))),
        ] {
            #expect(isFinal(failure, policy), "\(failure)")
        }
        for failure in [
            refused(401), refused(302), .handshake(.redirect(.downgrade, HTTPRefusal(status: 302))), closed(1008),
            transport(.proxy(.refusal(httpStatus: 407, isRetryable: false))),
        ] {
            #expect(!isFinal(failure, policy), "\(failure)")
        }
        #expect(isFinal(refused(403), policy))
        #expect(!isFinal(refused(500), policy))
        #expect(isFinal(transport(.certificate), policy))
    }

    @Test func givesUpWhenTheAttemptsAreUsedUp() {
        var random = Random(seed: 1)
        var backoff = Backoff(.init(base: .seconds(1), cap: .seconds(1), attemptsMax: 2))
        backoff.recordFailure()
        #expect(RetryPolicy().decision(after: .connectTimeout, wasEstablished: true, backoff, &random) != .final)
        backoff.recordFailure()
        #expect(RetryPolicy().decision(after: .connectTimeout, wasEstablished: true, backoff, &random) == .final)
    }

    // MARK: When

    @Test func waitsAsLongAsTheServerAsksAndUpToAQuarterMore() {
        for status in [UInt16(429), 503, 500, 408] {
            expect(refused(status, retryAfterMs: 120_000), from: 120_000, through: 150_000)
            expect(refused(status, retryAfterMs: 0), from: 0, through: 0)
        }
    }

    @Test func givesBusyServersTimeThatDoNotSayHowLong() {
        for failure in [refused(429), refused(503), closed(1012)] { expect(failure, from: 5000, through: 30_000) }
        expect(closed(1013), from: 30_000, through: 60_000)
    }

    @Test func asksForNoDelayOtherwise() {
        for failure in [
            refused(500), refused(502), closed(1000), closed(1001), closed(1011), closed(4000), .connectTimeout, transport(.connect),
            transport(.proxy(.refusal(httpStatus: 503, isRetryable: true))),
        ] {
            expect(failure, from: 0, through: 0)
        }
    }

    @Test func heedsAServerNoLongerThanItMay() throws {
        let ten = try policy(retryAfterMax: .seconds(10))
        expect(refused(503, retryAfterMs: 120_000), ten, from: 10_000, through: 12_500)
        expect(refused(503, retryAfterMs: .max), ten, from: 10_000, through: 12_500)
        expect(closed(1012), ten, from: 5000, through: 10_000)
        expect(closed(1013), ten, from: 5000, through: 10_000)
        let none = try policy(retryAfterMax: .zero)
        for failure in [refused(503, retryAfterMs: 120_000), refused(429), closed(1012), closed(1013)] {
            expect(failure, none, from: 0, through: 0)
        }
    }

    @Test func theLongerOfBackoffAndWhatTheServerAsksCounts() {
        var random = Random(seed: 1)
        let backoff = Backoff(.init(base: .seconds(600), cap: .seconds(600), jitter: .none))
        let decision = RetryPolicy().decision(after: closed(1012), wasEstablished: true, backoff, &random)
        guard case .retry(let delay, let least) = decision else {
            Issue.record("no attempt follows")
            return
        }
        #expect(delay == .seconds(600))
        #expect(least >= .seconds(5) && least <= .seconds(30))
    }
}
