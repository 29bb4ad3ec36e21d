import Session
import Testing
import WebSocket

/// What counts for a host's circuit.
struct HostHealthTests {
    @Test(
        arguments: [
            (.connect, .unwell), (.timeout, .unwell), (.lost, .unwell), (.tls, .unwell), (.tlsVersion, .well), (.certificate, .well),
            (.clientCertificate, .well), (.resolve, .unknown), (.system, .unknown), (.proxy(.unresolved), .unknown),
            (.proxy(.unreachable), .unknown), (.proxy(.refusal(httpStatus: 407, isRetryable: false)), .unknown),
            (.proxy(.refusal(httpStatus: 502, isRetryable: true)), .unwell),
        ] as [(TransportFailure.Kind, HostGate.Health)])
    func ofTransports(kind: TransportFailure.Kind, health: HostGate.Health) {
        #expect(Failure.transport(TransportFailure(kind: kind, nativeCode: 0, sentence: "")).hostHealth == health)
    }

    @Test func ofAnswers() {
        for status in UInt16(100)...599 {
            let isUnwell = status == 429 || status >= 500
            #expect(Failure.handshake(.refused(HTTPRefusal(status: status))).hostHealth == (isUnwell ? .unwell : .well))
        }
        #expect(Failure.handshake(.acceptWrong).hostHealth == .well)
        #expect(Failure.connectTimeout.hostHealth == .unwell)
        for (code, health) in [(100, .unknown), (101, .unknown), (111, .unwell)] as [(Int32, HostGate.Health)] {
            #expect(Failure.transport(TransportFailure(kind: .connect, nativeCode: code, sentence: "")).hostHealth == health)
        }
        #expect(Failure.handshakeTimeout.hostHealth == .unwell)
    }
}
