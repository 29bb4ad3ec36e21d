import WebSocket

/// Why an attempt failed or a connection ended.
package indirect enum Failure {
    /// Something below the protocol: resolver, TCP, TLS.
    case transport(TransportFailure)
    case handshake(HandshakeError)
    case connectTimeout
    case protocolViolation(ProtocolError)
    case closedByPeer(CloseFrame)
    case peerIsGone(missedPings: Int)
    case slowConsumer

    /// True if the same attempt may succeed later. What a person must fix first (a certificate, a URL, credentials) is not worth
    /// repeating; what time may heal is.
    package var isRetryable: Bool {
        switch self {
        case .transport(let failure): failure.kind != .certificate && failure.kind != .clientCertificate
        case .handshake(.refused(let refusal)):
            !(400...499).contains(refusal.status) || [408, 425, 429].contains(refusal.status)
        case .handshake: false
        case .closedByPeer(let frame): ![1002, 1003, 1007, 1008, 1010].contains(frame.code)
        case .connectTimeout, .protocolViolation, .peerIsGone, .slowConsumer: true
        }
    }
}

/// A failure of the layers that the session knows only by name.
package struct TransportFailure {
    package enum Kind {
        case resolve
        case connect
        /// connect.timeout ran out; the sentence says on what.
        case timeout
        case lost
        case tls
        case certificate
        /// The server wants a certificate of ours, or another.
        case clientCertificate
        case system
    }

    package let kind: Kind
    /// errno, getaddrinfo's code or OpenSSL's verification result, by kind.
    package let nativeCode: Int32
    package let sentence: String

    package init(kind: Kind, nativeCode: Int32, sentence: String) {
        self.kind = kind
        self.nativeCode = nativeCode
        self.sentence = sentence
    }
}
