import WebSocket

/// What a session asks of its owner.
extension Session {
    package enum Action {
        /// Resolve, connect, run TLS; then report `transportOpened` or `transportEnded`.
        case openTransport(LinkPlace)
        case closeTransport(LinkPlace)
    }

    package enum ReadOutcome {
        case needsInput
        /// Deliver the batch, then read on.
        case deliver
        /// Pass to `controlReceived`; the payload is valid until the next read.
        case control(Opcode, payload: UnsafeRawBufferPointer)
        /// Pass to `protocolFailed`.
        case failed(ProtocolError)
        /// Pass to `handshakeSucceeded`.
        case opened(Agreement)
        /// Pass to `handshakeFailed`.
        case refused(HandshakeError)
        /// Of a client: pass to `requestReceived`.
        case requested(HandshakeRequest)
        /// Of a client: answer it, then pass to `turnedAway`.
        case requestRefused(RequestError)
    }
}
