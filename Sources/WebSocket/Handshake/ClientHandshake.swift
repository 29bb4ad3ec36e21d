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
        case refusal(HTTPRefusal, HTTPBodyStart)
        case done
    }

    private var state: State
    private let nonce: HandshakeNonce
    private let subprotocols: [[UInt8]]
    private let compression: DeflateParameters?
    private let followsRedirects: Bool
    private let unixTime: Int64

    /// `compression` is what to offer; nil offers none. `headSizeMax` bounds the heads of all answers together. `unixTime` is the present, for
    /// dates in the answer.
    package init(
        nonce: HandshakeNonce, subprotocols: [[UInt8]], compression: DeflateParameters? = nil, headSizeMax: Int = HTTPHead.sizeMax,
        followsRedirects: Bool = false, unixTime: Int64 = 0
    ) {
        state = .head(HTTPHeadReader(sizeMax: headSizeMax))
        self.nonce = nonce
        self.subprotocols = subprotocols
        self.compression = compression
        self.followsRedirects = followsRedirects
        self.unixTime = unixTime
    }

    /// The request head. `fields` are the application's own, complete lines without their CRLF.
    package func request(url: URL, fields: [[UInt8]]) -> [UInt8] {
        var request = ASCII.bytes("GET ") + url.resource + ASCII.bytes(" HTTP/1.1\r\nHost: ") + url.hostField
        request += ASCII.bytes("\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ")
        request += nonce.key
        if !subprotocols.isEmpty {
            request += ASCII.bytes("\r\nSec-WebSocket-Protocol: ") + ASCII.joined(subprotocols, separator: ", ")
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
                guard let head = try Self.nextHead(&reader, input, &consumed) else {
                    state = .head(reader)
                    return nil
                }
                if head.status == 101 { return try check(head) }
                // Interim answers (RFC 9110 section 15.2) come before the real one.
                state = head.status < 200 ? .head(reader) : try refusal(head)
            case .refusal(var refusal, var body):
                state = .done
                if followsRedirects && refusal.redirection != nil { throw .refused(refusal) }
                body.append(UnsafeRawBufferPointer(rebasing: input[consumed...]))
                consumed = input.count
                guard body.isComplete else {
                    state = .refusal(refusal, body)
                    return nil
                }
                refusal.body = body.bytes
                throw .refused(refusal)
            }
        }
    }

    private static func nextHead(
        _ reader: inout HTTPHeadReader, _ input: UnsafeRawBufferPointer, _ consumed: inout Int
    ) throws(HandshakeError) -> HTTPHead? {
        do throws(HTTPHeadError) {
            return try reader.read(input, consumed: &consumed)
        } catch {
            throw .head(error)
        }
    }

    private func refusal(_ head: HTTPHead) throws(HandshakeError) -> State {
        do throws(HTTPHeadError) {
            return .refusal(HTTPRefusal(head: head, unixTime: unixTime), try HTTPBodyStart(head: head))
        } catch {
            throw .head(error)
        }
    }

    /// The refusal whose body was cut short by the end of the stream or of our patience, if that is where we are.
    package var unfinishedRefusal: HandshakeError? {
        guard case .refusal(var refusal, let body) = state else { return nil }
        refusal.body = body.bytes
        return .refused(refusal)
    }

    /// RFC 6455 section 4.1, the client's checks of the server's answer.
    private func check(_ head: HTTPHead) throws(HandshakeError) -> Agreement {
        guard head.minorVersion == 1 else { throw .head(.malformedStartLine) }
        guard head.fields.containsOnly("websocket", in: "upgrade") else { throw .upgradeMissing }
        guard head.fields.contains("upgrade", in: "connection") else { throw .connectionMissing }
        guard let accept = head.fields.onlyValue("sec-websocket-accept") else { throw .acceptMissing }
        guard accept.elementsEqual(nonce.accept) else { throw .acceptWrong }
        let compression = try PermessageDeflate.agreed(head.fields.values("sec-websocket-extensions"), offer: compression)
        let chosen = head.fields.values("sec-websocket-protocol")
        guard chosen.count <= 1 else { throw .unaskedSubprotocol }
        guard let subprotocol = chosen.first else { return Agreement(subprotocol: [], compression: compression) }
        guard subprotocols.contains(where: { $0.elementsEqual(subprotocol) }) else { throw .unaskedSubprotocol }
        return Agreement(subprotocol: [UInt8](subprotocol), compression: compression)
    }
}
