/// Why a server refuses an opening handshake, with the HTTP answer that says so (RFC 6455 sections 4.2.1, 4.2.2 and 4.4).
package enum RequestError: Error, Equatable {
    case head(HTTPHeadError)
    case version
    case method
    case host
    case target
    case body
    case upgradeMissing
    case webSocketVersion
    case key
    case origin
    case subprotocols

    package var status: UInt16 {
        switch self {
        case .head(.tooLarge), .head(.tooManyFields): 431
        case .head(.malformedStartLine), .head(.malformedField), .head(.contentLength): 400
        case .version: 505
        case .method: 405
        case .upgradeMissing, .webSocketVersion: 426
        case .host, .target, .body, .key, .origin, .subprotocols: 400
        }
    }

    /// What the client should have done, as a sentence.
    package var sentence: String {
        switch self {
        case .head(.tooLarge(let limit)): "The request's head is over \(limit) bytes."
        case .head(.tooManyFields): "The request has more than \(HTTPFields.countMax) header fields."
        case .head(.malformedStartLine): "The request line is malformed."
        case .head(.malformedField): "A header field of the request is malformed."
        case .head(.contentLength), .body: "The request of an opening handshake has no body."
        case .version: "The request must be HTTP/1.1."
        case .method: "The request's method must be GET."
        case .host: "The request needs exactly one Host, of the form host or host:port."
        case .target: "The request's target is malformed."
        case .upgradeMissing: "This is a WebSocket server: the request needs Upgrade: websocket and Connection: Upgrade."
        case .webSocketVersion: "The request needs Sec-WebSocket-Version: 13."
        case .key: "The request needs exactly one Sec-WebSocket-Key, base64 of 16 bytes."
        case .origin: "The request has more than one Origin."
        case .subprotocols: "Sec-WebSocket-Protocol must list different tokens."
        }
    }

    /// The whole answer; the connection ends with it.
    package var response: [UInt8] {
        let fields: [[UInt8]] =
            switch self {
            case .method: [ASCII.bytes("Allow: GET")]
            case .upgradeMissing, .webSocketVersion: [ASCII.bytes("Upgrade: websocket"), ASCII.bytes("Sec-WebSocket-Version: 13")]
            case .head, .version, .host, .target, .body, .key, .origin, .subprotocols: []
            }
        return ServerHandshake.refusal(status: status, fields: fields, body: (sentence + "\n").bytes)
    }
}

extension ServerHandshake {
    /// An answer other than 101, after which the connection ends. `fields` are complete lines without their CRLF; `body` is plain text.
    package static func refusal(status: UInt16, fields: [[UInt8]] = [], body: [UInt8]) -> [UInt8] {
        answer(status: status, fields: fields + [ASCII.bytes("Content-Type: text/plain; charset=utf-8")], body: body)
    }

    /// As `refusal`, of whatever type the fields say that the body is. `isHead`: the body is only counted.
    package static func answer(status: UInt16, fields: [[UInt8]], body: [UInt8], isHead: Bool = false) -> [UInt8] {
        // Upgrade stands in an answer only with its connection option (RFC 9110 section 7.8).
        let upgrades = fields.contains { ASCII.equalsIgnoringCase($0.prefix(8), "upgrade:") }
        var answer = ASCII.bytes("HTTP/1.1 ") + "\(status) ".bytes + ASCII.bytes(reason(status))
        answer += ASCII.bytes(upgrades ? "\r\nConnection: close, Upgrade" : "\r\nConnection: close")
        for field in fields { answer += ASCII.bytes("\r\n") + field }
        answer += ASCII.bytes("\r\nContent-Length: ") + String(body.count).bytes + ASCII.bytes("\r\n\r\n")
        return isHead ? answer : answer + body
    }

    /// The phrase of a status (RFC 9110 section 15); none for those that an answer has no use for.
    private static func reason(_ status: UInt16) -> StaticString {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
