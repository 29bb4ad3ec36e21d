import CHeartwire
import Heartbeat
import Session
import WebSocket

/// An error as the C interface reports it. Every layer's error becomes one here and nowhere else. Whoever makes one may fill it in; once it is
/// thrown or shown to another thread it never changes.
final class ErrorDetails: Error, @unchecked Sendable {
    let status: hw_status
    let layer: hw_layer
    var nativeCode: Int32 = 0
    var httpStatus: Int32 = 0
    var closeCode: Int32 = 0
    var isRetryable = false
    let message: String
    /// The start of a refused handshake's HTTP body.
    var body: [UInt8] = []
    /// What a refused handshake's Retry-After asks for.
    var retryAfterMs: UInt64 = 0

    @inline(never)
    init(_ status: Int, _ layer: Int, _ message: String) {
        self.status = hw_status(status)
        self.layer = hw_layer(layer)
        self.message = message
    }

    @inline(never)
    static func argument(_ message: String) -> ErrorDetails {
        ErrorDetails(HW_E_ARGUMENT, HW_LAYER_NONE, message)
    }

    /// The same with another status.
    func with(status: Int) -> ErrorDetails {
        let copy = ErrorDetails(status, Int(layer), message)
        copy.nativeCode = nativeCode
        copy.httpStatus = httpStatus
        copy.closeCode = closeCode
        copy.isRetryable = isRetryable
        return copy
    }

    convenience init(_ error: URLError) {
        self.init(HW_E_URL, HW_LAYER_CONFIGURATION, error.sentence)
    }

    /// `role` is this end's.
    convenience init(_ failure: Failure, role: Role = .client) {
        switch failure {
        case .transport(let failure):
            self.init(failure)
        case .handshake(let error):
            self.init(error)
        case .connectTimeout:
            self.init(HW_E_CONNECT_TIMEOUT, HW_LAYER_TCP, "connect.timeout ran out before the connection was established")
        case .handshakeTimeout:
            self.init(HW_E_CONNECT_TIMEOUT, HW_LAYER_HTTP, Self.handshakeTimeout(role))
        case .protocolViolation(let error):
            self.init(error, role)
        case .closedByPeer(let frame):
            self.init(HW_E_CLOSED_BY_PEER, HW_LAYER_WEBSOCKET, Self.closedByPeer(frame, role))
            closeCode = Int32(frame.code)
        case .heartbeat(let verdict, let code):
            self.init(HW_E_HEARTBEAT, HW_LAYER_HEARTBEAT, Self.sentence(verdict))
            closeCode = Int32(code)
        case .slowConsumer:
            let advice = "take messages faster, or raise inbox.bytes_max or inbox.messages_max"
            self.init(HW_E_SLOW_CONSUMER, HW_LAYER_DELIVERY, "the inbox is full: \(advice)")
            closeCode = Int32(CloseCode.policyViolation)
        case .beforeConnect(let refusal):
            self.init(HW_E_BEFORE_CONNECT, HW_LAYER_NONE, refusal.map { String(utf8: $0) } ?? Self.unanswered(role))
        case .script(let failure):
            self.init(HW_E_SCRIPT, HW_LAYER_WEBSOCKET, failure.sentence)
        case .accepting(let failure):
            self.init(HW_E_HTTP_STATUS, HW_LAYER_HTTP, failure.sentence)
            httpStatus = Int32(failure.status)
        }
        isRetryable = failure.isRetryable
    }

    private convenience init(_ failure: TransportFailure) {
        let (status, layer) =
            switch failure.kind {
            case .resolve: (HW_E_RESOLVE, HW_LAYER_RESOLVER)
            case .connect: (HW_E_CONNECT, HW_LAYER_TCP)
            case .timeout: (HW_E_CONNECT_TIMEOUT, HW_LAYER_TCP)
            case .lost: (HW_E_CONNECTION_LOST, HW_LAYER_TCP)
            case .tls, .tlsVersion, .clientCertificate: (HW_E_TLS, HW_LAYER_TLS)
            case .certificate: (HW_E_CERTIFICATE, HW_LAYER_TLS)
            case .proxy(.unresolved): (HW_E_PROXY, HW_LAYER_RESOLVER)
            case .proxy(.unreachable): (HW_E_PROXY, HW_LAYER_TCP)
            case .proxy(.refusal): (HW_E_PROXY, HW_LAYER_PROXY)
            case .system: (HW_E_SYSTEM, HW_LAYER_SYSTEM)
            }
        self.init(Int(status), Int(layer), failure.sentence)
        nativeCode = failure.nativeCode
        if case .proxy(.refusal(let status, _)) = failure.kind { httpStatus = Int32(status) }
        if failure.kind == .lost { closeCode = Int32(CloseCode.abnormal) }
    }

    private convenience init(_ error: HandshakeError) {
        switch error {
        case .refused(let refusal), .redirect(_, let refusal):
            self.init(HW_E_HTTP_STATUS, HW_LAYER_HTTP, error.sentence)
            httpStatus = Int32(refusal.status)
            body = refusal.body
            retryAfterMs = refusal.retryAfterMs ?? 0
        case .head, .upgradeMissing, .connectionMissing, .acceptMissing, .acceptWrong, .unaskedExtension,
            .invalidExtensionParameters, .unaskedSubprotocol:
            self.init(HW_E_HANDSHAKE, HW_LAYER_HTTP, error.sentence)
        }
    }

    private convenience init(_ error: ProtocolError, _ role: Role) {
        let status =
            switch error {
            case .textNotUTF8, .closeReasonNotUTF8: HW_E_UTF8
            case .messageTooLarge, .frameTooLarge: HW_E_MESSAGE_TOO_LARGE
            case .reservedBits, .reservedOpcode, .fragmentedControlFrame, .controlFrameTooLong, .maskedByServer, .unmaskedByClient,
                .lengthNotMinimal, .lengthOver63Bits, .continuationWithoutStart, .messageInsideFragments, .closePayloadOfOneByte,
                .illegalCloseCode, .compressedDataInvalid:
                HW_E_PROTOCOL
            }
        self.init(Int(status), HW_LAYER_WEBSOCKET, "\(role.peerName) \(error.phrase)\(Self.limit(error))")
        closeCode = Int32(error.closeCode)
    }

    private static func sentence(_ verdict: HeartbeatVerdict) -> String {
        switch verdict {
        case .pingsMissed(let count): "\(count) pings in a row went unanswered and nothing else arrived"
        case .failures(let count): "\(count) heartbeats in a row failed, and heartbeat.failure_threshold allows no more"
        case .beatMissed(let index): "beat \(index) was not acknowledged in time, and its rule ends the connection then"
        case .silence(let index): "nothing that watch \(index) expects arrived in its time, nor any other sign of life"
        case .probeUnanswered: "a probe after a suspension of the machine or a change of its network went unanswered"
        }
    }

    convenience init(_ error: RuleError) {
        self.init(HW_E_RULE, HW_LAYER_CONFIGURATION, Self.sentence(error, in: "rule"))
    }

    /// The error is in a step of the opening script, which is written in the language of rules.
    convenience init(step error: RuleError) {
        self.init(HW_E_STEP, HW_LAYER_CONFIGURATION, Self.sentence(error, in: "step"))
    }

    private static func sentence(_ error: RuleError, in document: StaticString) -> String {
        let place = error.pointer.isEmpty ? "the \(document)" : "\(document) member \(String(utf8: error.pointer))"
        return "\(place) \(error.sentence)"
    }

    /// The property that a limit comes from; the peer, which hears the phrase too, has no use for it.
    private static func limit(_ error: ProtocolError) -> StaticString {
        switch error {
        case .messageTooLarge: ", which is message.bytes_max"
        case .frameTooLarge: ", which is frame.bytes_max, or message.bytes_max where that is 0"
        default: ""
        }
    }

    private static func closedByPeer(_ frame: CloseFrame, _ role: Role) -> String {
        let code = frame.code == CloseCode.noStatus ? "no code" : "code \(frame.code)"
        let sentence = "\(role.peerName) closed the connection with \(code)"
        return frame.reason.isEmpty ? sentence : "\(sentence): \(String(utf8: frame.reason))"
    }

    private static func handshakeTimeout(_ role: Role) -> String {
        switch role {
        case .client: "connect.timeout ran out while the server's answer to the opening handshake was awaited"
        case .server: "connect.timeout ran out before the client had asked for a WebSocket connection"
        }
    }

    private static func unanswered(_ role: Role) -> String {
        switch role {
        case .client: "hw_connection_proceed was not called within before_connect.timeout"
        case .server: "hw_connection_accept was not called within connect.timeout"
        }
    }

    /// Writes the details into the caller's struct, no further than the struct reaches, and gives the status.
    func report(to error: UnsafeMutablePointer<hw_error>?) -> hw_status {
        guard let error else { return status }
        var details = hw_error()
        details.status = status
        details.layer = layer
        details.native_code = nativeCode
        details.http_status = httpStatus
        details.close_code = closeCode
        details.retryable = isRetryable ? 1 : 0
        withUnsafeMutableBytes(of: &details.message) { buffer in
            // Cut between characters, so that the text stays UTF-8.
            let text = message.bytes
            var bytes = [UInt8](text.prefix(buffer.count - 1))
            if text.count > bytes.count {
                while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
                if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
            }
            buffer.copyBytes(from: bytes)
        }
        CStruct.write(details, to: error)
        return status
    }
}

/// Structs of the C interface that grow at their end: the caller says how much of it it knows.
enum CStruct {
    /// True if the caller's struct is large enough for a field of its own.
    static func hasRoom<Struct>(_ target: UnsafeMutablePointer<Struct>) -> Bool {
        Int(UnsafeRawPointer(target).load(as: UInt32.self)) > MemoryLayout<UInt32>.size
    }

    /// Copies `value` into the caller's struct up to its `struct_size`, which stays as it is. False if not even one field fits.
    @discardableResult
    static func write<Struct>(_ value: Struct, to target: UnsafeMutablePointer<Struct>) -> Bool {
        let raw = UnsafeMutableRawPointer(target)
        guard hasRoom(target) else { return false }
        let header = MemoryLayout<UInt32>.size
        let size = min(Int(raw.load(as: UInt32.self)), MemoryLayout<Struct>.size)
        withUnsafeBytes(of: value) {
            raw.advanced(by: header).copyMemory(from: $0.baseAddress.unsafelyUnwrapped + header, byteCount: size - header)
        }
        return true
    }
}
