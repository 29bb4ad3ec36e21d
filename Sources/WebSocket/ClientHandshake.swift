/// The client's opening handshake (RFC 6455 section 4.1): the request, and every check of the answer.

/// The handshake's nonce and the proof that the server must derive from it. Whoever makes it supplies randomness and SHA-1.
package struct HandshakeNonce {
    /// Base64 of 16 random bytes.
    package let key: [UInt8]
    /// Base64 of SHA-1 over the key and the GUID of RFC 6455 section 1.3.
    package let accept: [UInt8]

    package init(key: [UInt8], accept: [UInt8]) {
        self.key = key
        self.accept = accept
    }
}

package enum HandshakeError: Error, Equatable {
    case head(HTTPHeadError)
    case upgradeMissing
    case connectionMissing
    case acceptMissing
    case acceptWrong
    case unaskedExtension
    case invalidExtensionParameters
    case unaskedSubprotocol
    /// Any status but 101, with the first bytes of the body.
    case refused(status: UInt16, body: [UInt8])

    /// What the server did wrong, as a sentence.
    package var sentence: String {
        switch self {
        case .head(.tooLarge): "the answer's head is over \(HTTPHead.sizeMax) bytes"
        case .head(.tooManyFields): "the answer has more than \(HTTPHead.fieldsMax) header fields"
        case .head(.malformedStatusLine): "the answer is not HTTP/1.1; is this a WebSocket port, and ws or wss the right scheme?"
        case .head(.malformedField): "the answer has a malformed header field"
        case .upgradeMissing: "the answer lacks Upgrade: websocket"
        case .connectionMissing: "the answer lacks Connection: Upgrade"
        case .acceptMissing: "the answer lacks a single Sec-WebSocket-Accept"
        case .acceptWrong: "the answer's Sec-WebSocket-Accept does not match our key; a cache or proxy may stand between"
        case .unaskedExtension: "the answer names an extension that was not offered"
        case .invalidExtensionParameters: "the answer's permessage-deflate parameters do not fit the offer (RFC 7692 section 7.1)"
        case .unaskedSubprotocol: "the answer names a subprotocol that was not offered"
        case .refused(let status, _): "the server refused the opening handshake with HTTP status \(status)"
        }
    }
}

/// What both ends have agreed on in the opening handshake.
package struct Agreement {
    /// Empty if there is none.
    package let subprotocol: [UInt8]
    /// Nil without compression.
    package let compression: DeflateParameters?

    package init(subprotocol: [UInt8], compression: DeflateParameters?) {
        self.subprotocol = subprotocol
        self.compression = compression
    }
}

package struct ClientHandshake {
    private enum State {
        case head(HTTPHeadReader)
        case refusal(status: UInt16, HTTPBodyStart)
        case done
    }

    private var state = State.head(HTTPHeadReader())
    private let nonce: HandshakeNonce
    private let subprotocols: [[UInt8]]
    private let compression: DeflateParameters?

    /// `compression` is what to offer; nil offers none.
    package init(nonce: HandshakeNonce, subprotocols: [[UInt8]], compression: DeflateParameters? = nil) {
        self.nonce = nonce
        self.subprotocols = subprotocols
        self.compression = compression
    }

    /// The request head. `fields` are the application's own, complete lines without their CRLF.
    package func request(url: URL, fields: [[UInt8]]) -> [UInt8] {
        var request = ASCII.bytes("GET ") + url.resource + ASCII.bytes(" HTTP/1.1\r\nHost: ") + url.hostField
        request += ASCII.bytes("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
        request += nonce.key
        if !subprotocols.isEmpty {
            request += ASCII.bytes("\r\nSec-WebSocket-Protocol: ") + [UInt8](subprotocols.joined(separator: ASCII.bytes(", ")))
        }
        if let compression {
            request += ASCII.bytes("\r\nSec-WebSocket-Extensions: ") + PermessageDeflate.offer(compression)
        }
        for field in fields {
            request += ASCII.bytes("\r\n") + field
        }
        return request + ASCII.bytes("\r\n\r\n")
    }

    /// Takes received bytes from `consumed` on. Gives what was agreed on once the handshake has succeeded; what follows the head in
    /// the same input is left for the frame reader.
    package mutating func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(HandshakeError) -> Agreement? {
        // A loop, not a recursion: one read can hold thousands of interim answers.
        while true {
            switch state {
            case .done:
                return nil
            case .head(var reader):
                // Held in one place only, or every read would copy what was collected.
                state = .done
                let head: HTTPHead?
                do throws(HTTPHeadError) {
                    head = try reader.read(input, consumed: &consumed)
                } catch {
                    throw .head(error)
                }
                guard let head else {
                    state = .head(reader)
                    return nil
                }
                if head.status == 101 {
                    state = .done
                    return try check(head)
                }
                // Interim answers (RFC 9110 section 15.2) come before the real one.
                state = head.status < 200 ? .head(HTTPHeadReader()) : .refusal(status: head.status, HTTPBodyStart(head: head))
            case .refusal(let status, var body):
                body.append(UnsafeRawBufferPointer(rebasing: input[consumed...]))
                consumed = input.count
                state = .refusal(status: status, body)
                if body.isComplete { throw .refused(status: status, body: body.bytes) }
                return nil
            }
        }
    }

    /// The refusal whose body was cut short by the end of the stream or of our patience, if that is where we are.
    package var unfinishedRefusal: HandshakeError? {
        if case .refusal(let status, let body) = state { return .refused(status: status, body: body.bytes) }
        return nil
    }

    /// RFC 6455 section 4.1, the client's checks of the server's answer.
    private func check(_ head: HTTPHead) throws(HandshakeError) -> Agreement {
        guard head.minorVersion == 1 else { throw .head(.malformedStatusLine) }
        guard head.contains("websocket", in: "upgrade") else { throw .upgradeMissing }
        guard head.contains("upgrade", in: "connection") else { throw .connectionMissing }
        let accepts = head.values("sec-websocket-accept")
        guard accepts.count == 1 else { throw .acceptMissing }
        guard accepts[0].elementsEqual(nonce.accept) else { throw .acceptWrong }
        let compression = try PermessageDeflate.agreed(head.values("sec-websocket-extensions"), offer: compression)
        let chosen = head.values("sec-websocket-protocol")
        guard chosen.count <= 1 else { throw .unaskedSubprotocol }
        guard let subprotocol = chosen.first else { return Agreement(subprotocol: [], compression: compression) }
        guard subprotocols.contains(where: { $0.elementsEqual(subprotocol) }) else { throw .unaskedSubprotocol }
        return Agreement(subprotocol: [UInt8](subprotocol), compression: compression)
    }
}
