import CHeartwire
import Heartbeat
import Session
import Testing
import WebSocket

@testable import Heartwire

struct ErrorDetailsTests {
    /// What a caller with a struct of `size` bytes gets.
    private func report(_ details: ErrorDetails, size: Int = MemoryLayout<hw_error>.size) -> (status: hw_status, error: hw_error) {
        var error = hw_error()
        error.struct_size = UInt32(size)
        let status = details.report(to: &error)
        return (status, error)
    }

    private func message(_ text: String) -> String? {
        var (_, error) = report(ErrorDetails(HW_E_URL, HW_LAYER_NONE, text))
        return withUnsafeBytes(of: &error.message) { buffer in
            String(validating: buffer.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    @Test func fillsTheCallersStruct() {
        let details = ErrorDetails(Failure.transport(TransportFailure(kind: .connect, nativeCode: 111, sentence: "refused")))
        details.httpStatus = 7
        let (status, error) = report(details)
        #expect(status == hw_status(HW_E_CONNECT))
        #expect(error.status == status)
        #expect(error.layer == hw_layer(HW_LAYER_TCP))
        #expect(error.native_code == 111)
        #expect(error.http_status == 7)
        #expect(error.retryable == 1)
        #expect(error.struct_size == UInt32(MemoryLayout<hw_error>.size))
        #expect(details.report(to: nil) == status)
    }

    @Test func keepsTheProxysHTTPStatus() {
        let kind = TransportFailure.Kind.proxy(.refusal(httpStatus: 407, isRetryable: false))
        let details = ErrorDetails(Failure.transport(TransportFailure(kind: kind, nativeCode: 0, sentence: "")))
        #expect(details.status == hw_status(HW_E_PROXY))
        #expect(details.layer == hw_layer(HW_LAYER_PROXY))
        #expect(details.httpStatus == 407)
        #expect(!details.isRetryable)
    }

    @Test func writesNoFurtherThanTheStructReaches() {
        for size in [0, 4, 8, 12, 40] {
            let (_, error) = report(ErrorDetails(HW_E_URL, HW_LAYER_CONFIGURATION, "x"), size: size)
            #expect(error.status == (size >= 8 ? hw_status(HW_E_URL) : 0))
            #expect(error.layer == (size >= 12 ? hw_layer(HW_LAYER_CONFIGURATION) : 0))
            #expect(error.message.0 == (size >= 40 ? CChar(UInt8(ascii: "x")) : 0))
        }
    }

    @Test func cutsLongMessagesBetweenCharacters() {
        for character in ["a", "\u{E9}", "\u{20AC}", "\u{1FAC0}"] {
            for padding in 0..<4 {
                let text = String(repeating: "-", count: padding) + String(repeating: character, count: 300)
                let kept = message(text)
                #expect(kept.map { text.hasPrefix($0) } == true)
                #expect((248...255).contains(kept?.utf8.count ?? 0))
            }
        }
    }

    @Test func keepsMessagesThatFitWhole() {
        for size in [0, 1, 254, 255] {
            let text = String(repeating: "x", count: size)
            #expect(message(text) == text)
        }
        let exact = String(repeating: "\u{20AC}", count: 85)
        #expect(message(exact) == exact)
    }

    @Test(
        arguments: [
            (.transport(TransportFailure(kind: .resolve, nativeCode: 0, sentence: "")), HW_E_RESOLVE, HW_LAYER_RESOLVER, 0),
            (.transport(TransportFailure(kind: .connect, nativeCode: 0, sentence: "")), HW_E_CONNECT, HW_LAYER_TCP, 0),
            (.transport(TransportFailure(kind: .lost, nativeCode: 0, sentence: "")), HW_E_CONNECTION_LOST, HW_LAYER_TCP, 1006),
            (.transport(TransportFailure(kind: .tls, nativeCode: 0, sentence: "")), HW_E_TLS, HW_LAYER_TLS, 0),
            (.transport(TransportFailure(kind: .certificate, nativeCode: 0, sentence: "")), HW_E_CERTIFICATE, HW_LAYER_TLS, 0),
            (.transport(TransportFailure(kind: .clientCertificate, nativeCode: 0, sentence: "")), HW_E_TLS, HW_LAYER_TLS, 0),
            (.transport(TransportFailure(kind: .timeout, nativeCode: 0, sentence: "")), HW_E_CONNECT_TIMEOUT, HW_LAYER_TCP, 0),
            (.transport(TransportFailure(kind: .proxy(.unresolved), nativeCode: 0, sentence: "")), HW_E_PROXY, HW_LAYER_RESOLVER, 0),
            (.transport(TransportFailure(kind: .proxy(.unreachable), nativeCode: 0, sentence: "")), HW_E_PROXY, HW_LAYER_TCP, 0),
            (.transport(TransportFailure(kind: .system, nativeCode: 0, sentence: "")), HW_E_SYSTEM, HW_LAYER_SYSTEM, 0),
            (.handshake(.acceptWrong), HW_E_HANDSHAKE, HW_LAYER_HTTP, 0),
            (.handshake(.refused(HTTPRefusal(status: 403))), HW_E_HTTP_STATUS, HW_LAYER_HTTP, 0),
            (.handshake(.redirect(.downgrade, HTTPRefusal(status: 302))), HW_E_HTTP_STATUS, HW_LAYER_HTTP, 0),
            (.connectTimeout, HW_E_CONNECT_TIMEOUT, HW_LAYER_TCP, 0),
            (.handshakeTimeout, HW_E_CONNECT_TIMEOUT, HW_LAYER_HTTP, 0),
            (.protocolViolation(.reservedBits), HW_E_PROTOCOL, HW_LAYER_WEBSOCKET, 1002),
            (.protocolViolation(.textNotUTF8), HW_E_UTF8, HW_LAYER_WEBSOCKET, 1007),
            (.protocolViolation(.closeReasonNotUTF8), HW_E_UTF8, HW_LAYER_WEBSOCKET, 1007),
            (.protocolViolation(.messageTooLarge(limit: 1)), HW_E_MESSAGE_TOO_LARGE, HW_LAYER_WEBSOCKET, 1009),
            (.closedByPeer(CloseFrame(code: 4001, reason: [])), HW_E_CLOSED_BY_PEER, HW_LAYER_WEBSOCKET, 4001),
            (.heartbeat(.pingsMissed(2), closeCode: 3008), HW_E_HEARTBEAT, HW_LAYER_HEARTBEAT, 3008),
            (.slowConsumer, HW_E_SLOW_CONSUMER, HW_LAYER_DELIVERY, 1008),
        ] as [(Failure, Int, Int, Int32)])
    func givesEveryFailureItsStatus(failure: Failure, status: Int, layer: Int, closeCode: Int32) {
        let details = ErrorDetails(failure)
        #expect(details.status == hw_status(status))
        #expect(details.layer == hw_layer(layer))
        #expect(details.closeCode == closeCode)
        #expect(details.isRetryable == failure.isRetryable)
    }

    @Test(
        arguments: [
            (.handshakeTimeout, "before the client had asked"), (.protocolViolation(.unmaskedByClient), "the client sent"),
            (.closedByPeer(CloseFrame(code: 1000, reason: [])), "the client closed"), (.beforeConnect(nil), "hw_connection_accept was not"),
        ] as [(Failure, String)])
    func tellsOfTheClientWhereTheServerIsHere(failure: Failure, text: String) {
        #expect(ErrorDetails(failure, role: .server).message.contains(text))
        #expect(!ErrorDetails(failure).message.contains(text))
    }

    @Test func keepsTheRefusalsBodyAndThePeersReason() {
        let refusal = ErrorDetails(Failure.handshake(.refused(HTTPRefusal(status: 418, body: bytes("teapot")))))
        #expect(refusal.httpStatus == 418)
        #expect(refusal.body == bytes("teapot"))
        #expect(
            ErrorDetails(Failure.closedByPeer(CloseFrame(code: 1012, reason: bytes("restart")))).message.hasSuffix("code 1012: restart"))
        #expect(ErrorDetails(Failure.closedByPeer(CloseFrame(code: 1005, reason: []))).message.hasSuffix("no code"))
    }
}
