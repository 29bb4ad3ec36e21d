/// Why an opening handshake came to nothing, from the client's side.
package indirect enum HandshakeError: Error, Equatable {
    case head(HTTPHeadError)
    case upgradeMissing
    case connectionMissing
    case acceptMissing
    case acceptWrong
    case unaskedExtension
    case invalidExtensionParameters
    case unaskedSubprotocol
    /// Any status but 101.
    case refused(HTTPRefusal)
    /// A redirect that may not be followed.
    case redirect(RedirectError, HTTPRefusal)

    /// What the server did wrong, as a sentence.
    package var sentence: String {
        switch self {
        case .head(.tooLarge(let limit)): "the answer's head is over \(limit) bytes, which is handshake.bytes_max"
        case .head(.tooManyFields): "the answer has more than \(HTTPFields.countMax) header fields"
        case .head(.malformedStartLine): "the answer is not HTTP/1.1; is this a WebSocket port, and ws or wss the right scheme?"
        case .head(.malformedField): "the answer has a malformed header field (RFC 9112 section 5)"
        case .head(.contentLength): "the answer's Content-Length is no number, or several"
        case .upgradeMissing: "the answer lacks Upgrade: websocket, or upgrades to something else"
        case .connectionMissing: "the answer lacks Connection: Upgrade"
        case .acceptMissing: "the answer lacks a single Sec-WebSocket-Accept"
        case .acceptWrong: "the answer's Sec-WebSocket-Accept does not match our key; a cache or proxy may stand between"
        case .unaskedExtension: "the answer names an extension that was not offered"
        case .invalidExtensionParameters: "the answer's permessage-deflate parameters do not fit the offer (RFC 7692 section 7.1)"
        case .unaskedSubprotocol: "the answer names a subprotocol that was not offered"
        case .refused(let refusal): "the server \(refusal.phrase)"
        case .redirect(let error, let refusal): "the server \(error.phrase(refusal))"
        }
    }
}
