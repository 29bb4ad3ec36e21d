import Session
import Testing
import WebSocket

struct FailureTests {
    @Test(
        arguments: [
            (.resolve, true), (.connect, true), (.timeout, true), (.lost, true), (.tls, true),
            (.certificate, false), (.clientCertificate, false), (.system, true),
            (.proxy(.unresolved), true), (.proxy(.unreachable), true), (.proxy(.refusal(httpStatus: 0, isRetryable: true)), true),
            (.proxy(.refusal(httpStatus: 407, isRetryable: false)), false),
        ] as [(TransportFailure.Kind, Bool)])
    func retriesTransportsButNotWhatAPersonMustMend(kind: TransportFailure.Kind, isRetryable: Bool) {
        #expect(Failure.transport(TransportFailure(kind: kind, nativeCode: 0, sentence: "")).isRetryable == isRetryable)
    }

    @Test func retriesWhatTimeMayHealOfHTTPStatuses() {
        let retried = (UInt16(200)...999).filter { Failure.handshake(.refused(HTTPRefusal(status: $0))).isRetryable }
        #expect(retried == [408, 425, 429] + Array(500...599))
    }

    @Test(arguments: [
        HandshakeError.acceptWrong, .acceptMissing, .upgradeMissing, .connectionMissing, .unaskedExtension, .head(.tooLarge(limit: 1)),
        .redirect(.downgrade, HTTPRefusal(status: 302)),
    ])
    func doesNotRetryInvalidAnswers(error: HandshakeError) {
        #expect(!Failure.handshake(error).isRetryable)
    }

    @Test func retriesClosesButThoseThatBlameTheClient() {
        for code in UInt16(1000)...4999 {
            let isRetryable = ![1002, 1003, 1007, 1008, 1010].contains(code)
            #expect(Failure.closedByPeer(CloseFrame(code: code, reason: [])).isRetryable == isRetryable)
        }
    }

    @Test func retriesTheRest() {
        for failure in [
            Failure.connectTimeout, .protocolViolation(.reservedBits), .heartbeat(.pingsMissed(2), closeCode: 3008), .slowConsumer,
        ] {
            #expect(failure.isRetryable)
        }
    }
}
