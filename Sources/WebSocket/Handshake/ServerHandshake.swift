/// The server's side of the opening handshake (RFC 6455 section 4.2): every check of the request, and the answer.

/// What a client asks for. The bytes are the client's: text fit for a log only after a look at them.
package struct HandshakeRequest {
    /// Path and query; begins with a slash.
    package let resource: [UInt8]
    /// The value of Host, or the authority of an absolute target.
    package let host: [UInt8]
    /// Sec-WebSocket-Key, from which the answer's proof is derived.
    package let key: [UInt8]
    /// The page that a browser asks for; nil if there is none. Whoever accepts requests from browsers must look at it (section 10.2).
    package let origin: [UInt8]?
    /// In the client's order of preference.
    package let subprotocols: [[UInt8]]
    /// Every value of Sec-WebSocket-Extensions, as it stands.
    package let extensions: [ArraySlice<UInt8>]
    package let fields: HTTPFields

    /// The client's favourite among `supported`; nil if there is none in common.
    package func subprotocol(among supported: [[UInt8]]) -> [UInt8]? {
        subprotocols.first { offered in supported.contains { $0.elementsEqual(offered) } }
    }
}

/// What somebody asks for who wants no WebSocket connection: a page, perhaps.
package struct PageRequest {
    package let resource: [UInt8]
    package let host: [UInt8]
    /// Asked for the head of the answer alone (RFC 9110 section 9.3.2).
    package let isHead: Bool
    package let fields: HTTPFields

    /// Of the resource: without the query.
    package var path: ArraySlice<UInt8> { resource.prefix { $0 != 0x3F } }
}

package struct ServerHandshake {
    private var reader: HTTPRequestHeadReader
    /// Once `read` has refused a request that is one for a page as well as HTTP/1 has them, whatever else is wrong with it as a handshake.
    package private(set) var pageRequest: PageRequest?

    package init(headSizeMax: Int = HTTPHead.sizeMax) {
        reader = HTTPRequestHeadReader(sizeMax: headSizeMax)
    }

    /// Takes received bytes from `consumed` on; gives the request once its head is complete. What follows it in the same input is left for the
    /// frame reader. After an error nothing more may be read: the error's response is the last word.
    package mutating func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(RequestError) -> HandshakeRequest? {
        let head: HTTPRequestHead?
        do throws(HTTPHeadError) {
            head = try reader.read(input, consumed: &consumed)
        } catch {
            throw .head(error)
        }
        guard let head else { return nil }
        pageRequest = Self.pageRequest(head)
        return try Self.check(head)
    }

    /// Nil for what asks for another protocol, or changes something.
    private static func pageRequest(_ head: HTTPRequestHead) -> PageRequest? {
        let isHead = head.method.elementsEqual(ASCII.bytes("HEAD"))
        guard head.version.major == 1, isHead || head.method.elementsEqual(ASCII.bytes("GET")), head.fields.values("upgrade").isEmpty else {
            return nil
        }
        do throws(RequestError) {
            let (resource, host) = try target(head)
            try checkBody(head.fields)
            return PageRequest(resource: resource, host: host, isHead: isHead, fields: head.fields)
        } catch {
            return nil
        }
    }

    /// The answer that opens the connection. `proof` is base64 of SHA-1 over the request's key and the GUID of section 1.3; `extensions` the value
    /// of Sec-WebSocket-Extensions.
    package static func acceptance(proof: [UInt8], subprotocol: [UInt8]? = nil, extensions: [UInt8]? = nil) -> [UInt8] {
        var answer = ASCII.bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade")
        answer += ASCII.bytes("\r\nSec-WebSocket-Accept: ") + proof
        if let subprotocol { answer += ASCII.bytes("\r\nSec-WebSocket-Protocol: ") + subprotocol }
        if let extensions { answer += ASCII.bytes("\r\nSec-WebSocket-Extensions: ") + extensions }
        return answer + ASCII.bytes("\r\n\r\n")
    }

    /// Section 4.2.1. What concerns HTTP comes before what concerns WebSocket, so that the status tells how far it was understood.
    private static func check(_ head: HTTPRequestHead) throws(RequestError) -> HandshakeRequest {
        guard head.version.major == 1, head.version.minor >= 1 else { throw .version }
        guard head.method.elementsEqual(ASCII.bytes("GET")) else { throw .method }
        let (resource, host) = try target(head)
        try checkBody(head.fields)
        guard head.fields.contains("websocket", in: "upgrade"), head.fields.contains("upgrade", in: "connection") else {
            throw .upgradeMissing
        }
        guard let version = head.fields.onlyValue("sec-websocket-version"), version.elementsEqual(ASCII.bytes("13")) else {
            throw .webSocketVersion
        }
        guard let key = head.fields.onlyValue("sec-websocket-key"), isKey(key) else { throw .key }
        let origins = head.fields.values("origin")
        guard origins.count <= 1 else { throw .origin }
        return HandshakeRequest(
            resource: resource, host: host, key: [UInt8](key), origin: origins.first.map { [UInt8]($0) },
            subprotocols: try subprotocols(head.fields), extensions: head.fields.values("sec-websocket-extensions"), fields: head.fields)
    }

    /// A target in origin form, or in absolute form, whose authority then counts instead of Host (RFC 9112 sections 3.2.1 and 3.2.2).
    private static func target(_ head: HTTPRequestHead) throws(RequestError) -> (resource: [UInt8], host: [UInt8]) {
        guard let host = head.fields.onlyValue("host"), !host.contains(0x2F), let asked = url(ASCII.bytes("ws://") + host),
            asked.resource.count == 1
        else { throw .host }
        if head.target.first == 0x2F {
            guard let url = url(ASCII.bytes("ws://h") + head.target) else { throw .target }
            return (url.resource, [UInt8](host))
        }
        guard let colon = head.target.firstIndex(of: 0x3A) else { throw .target }
        let scheme = head.target[..<colon]
        guard ASCII.equalsIgnoringCase(scheme, "http") || ASCII.equalsIgnoringCase(scheme, "https"),
            let url = url(ASCII.bytes("ws") + head.target[colon...])
        else { throw .target }
        return (url.resource, url.hostField)
    }

    private static func url(_ text: [UInt8]) -> URL? {
        do throws(URLError) {
            let url = try URL(parsing: text)
            return url.credentials == nil ? url : nil
        } catch {
            return nil
        }
    }

    /// A body would be taken for frames, or frames for a body.
    private static func checkBody(_ fields: HTTPFields) throws(RequestError) {
        do throws(HTTPHeadError) {
            guard try fields.contentLength() ?? 0 == 0, fields.values("transfer-encoding").isEmpty else {
                throw HTTPHeadError.contentLength
            }
        } catch {
            throw .body
        }
    }

    /// Base64 of 16 bytes.
    private static func isKey(_ text: ArraySlice<UInt8>) -> Bool {
        text.count == 24 && text.suffix(2).elementsEqual([0x3D, 0x3D]) && text.dropLast(2).allSatisfy(Base64.isDigit)
    }

    /// Tokens, each of them once (section 4.1).
    private static func subprotocols(_ fields: HTTPFields) throws(RequestError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        for name in fields.list("sec-websocket-protocol") {
            guard ASCII.isToken(name), names.count < HTTPFields.countMax, !names.contains(where: { $0.elementsEqual(name) }) else {
                throw .subprotocols
            }
            names.append([UInt8](name))
        }
        return names
    }
}
