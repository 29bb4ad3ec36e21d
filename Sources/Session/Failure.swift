import Heartbeat
import WebSocket

/// Why an attempt failed or a connection ended.
package indirect enum Failure {
    /// Something below the protocol: resolver, TCP, TLS.
    case transport(TransportFailure)
    case handshake(HandshakeError)
    case connectTimeout
    /// As connectTimeout, when the request of the opening handshake had been sent.
    case handshakeTimeout
    case protocolViolation(ProtocolError)
    case closedByPeer(CloseFrame)
    /// `closeCode` is what the peer was told.
    case heartbeat(HeartbeatVerdict, closeCode: UInt16)
    case slowConsumer
    /// Whoever was asked before the attempt refused it with this sentence; nil if no answer came in time.
    case beforeConnect([UInt8]?)
    case script(OpeningFailure)
    /// The client was not accepted.
    case accepting(AcceptFailure)

    /// True if the same attempt may succeed later. What a person must fix first (a certificate, a URL, credentials) is not worth
    /// repeating; what time may heal is.
    package var isRetryable: Bool {
        switch self {
        case .transport(let failure): failure.isRetryable
        case .handshake(.refused(let refusal)): HTTPRefusal.mayPass(refusal.status)
        case .handshake: false
        case .closedByPeer(let frame): Self.mayReturn(after: frame.code)
        case .connectTimeout, .handshakeTimeout, .protocolViolation, .heartbeat, .slowConsumer, .beforeConnect, .script: true
        case .accepting: false
        }
    }
}

extension Failure {
    /// False for the close codes that blame the client.
    private static func mayReturn(after code: UInt16) -> Bool {
        switch code {
        case 1002, 1003, 1007, 1008, 1010: false
        default: true
        }
    }
}

/// A failure of the layers that the session knows only by name.
package struct TransportFailure {
    package enum Kind: Equatable {
        case resolve
        case connect
        /// connect.timeout ran out; the sentence says on what.
        case timeout
        case lost
        case tls
        /// The server speaks no version of TLS that we accept.
        case tlsVersion
        case certificate
        /// The server wants a certificate of ours, or another.
        case clientCertificate
        case proxy(ProxyFault)
        case system
    }

    /// What a proxy did instead of leading to the server.
    package enum ProxyFault: Equatable {
        case unresolved
        case unreachable
        /// `httpStatus` is 0 for what is not HTTP.
        case refusal(httpStatus: UInt16, isRetryable: Bool)
    }

    package let kind: Kind
    /// errno, getaddrinfo's code, OpenSSL's verification result or a SOCKS5 reply, by kind.
    package let nativeCode: Int32
    package let sentence: String

    package init(kind: Kind, nativeCode: Int32, sentence: String) {
        self.kind = kind
        self.nativeCode = nativeCode
        self.sentence = sentence
    }

    /// The peer ended the stream in an orderly way.
    var isEndOfStream: Bool { kind == .lost && nativeCode == 0 }

    /// The same while the opening handshake's answer was awaited: a lost connection then says most often that the port or scheme is wrong.
    var beforeTheAnswer: TransportFailure {
        guard kind == .lost else { return self }
        let sentence = "\(sentence); the opening handshake was not answered: are port and scheme, ws or wss, right?"
        return TransportFailure(kind: kind, nativeCode: nativeCode, sentence: sentence)
    }

    var isRetryable: Bool {
        switch kind {
        case .tlsVersion, .certificate, .clientCertificate: false
        case .proxy(.refusal(_, let isRetryable)): isRetryable
        case .resolve, .connect, .timeout, .lost, .tls, .proxy(.unresolved), .proxy(.unreachable), .system: true
        }
    }
}
