import Testing
import WebSocket

struct ServerHandshakeTests {
    private static let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    private static let upgrade = "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    private static let rest = "Sec-WebSocket-Version: 13\r\n" + key

    private func read(_ chunks: [[UInt8]], headSizeMax: Int = HTTPHead.sizeMax) throws -> (request: HandshakeRequest?, rest: [UInt8]) {
        var handshake = ServerHandshake(headSizeMax: headSizeMax)
        var request: HandshakeRequest?
        var rest: [UInt8] = []
        for chunk in chunks {
            var consumed = 0
            if request == nil { request = try chunk.withUnsafeBytes { try handshake.read($0, consumed: &consumed) } }
            rest += chunk[consumed...]
        }
        return (request, rest)
    }

    private func request(_ line: String, _ fields: String) throws -> HandshakeRequest? {
        try read([bytes(line + "\r\n" + fields + "\r\n")]).request
    }

    private func fields(_ fields: String) throws -> HandshakeRequest? { try request("GET / HTTP/1.1", fields) }

    /// As a browser asks.
    private static let browser = """
        GET /chat?room=1 HTTP/1.1\r
        Host: server.example.com:8080\r
        Connection: keep-alive, Upgrade\r
        Pragma: no-cache\r
        Cache-Control: no-cache\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r
        Upgrade: websocket\r
        Origin: https://app.example.com\r
        Sec-WebSocket-Version: 13\r
        Accept-Encoding: gzip, deflate, br\r
        Accept-Language: en-US,en;q=0.9\r
        Cookie: a=1; b=2\r
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r
        Sec-WebSocket-Protocol: v2.chat, chat\r
        \r

        """

    @Test func readsABrowsersRequestHoweverItIsSplitAndLeavesTheRest() throws {
        let frames: [UInt8] = [0x81, 0x80, 0, 0, 0, 0, 0x0D, 0x0A]
        for chunks in splits(bytes(Self.browser) + frames) {
            let (read, rest) = try read(chunks)
            let request = try #require(read)
            #expect(request.resource == bytes("/chat?room=1"))
            #expect(request.host == bytes("server.example.com:8080"))
            #expect(request.key == bytes("dGhlIHNhbXBsZSBub25jZQ=="))
            #expect(request.origin == bytes("https://app.example.com"))
            #expect(request.subprotocols == [bytes("v2.chat"), bytes("chat")])
            #expect(request.extensions.map { [UInt8]($0) } == [bytes("permessage-deflate; client_max_window_bits")])
            #expect(request.fields.onlyValue("cookie").map { [UInt8]($0) } == bytes("a=1; b=2"))
            #expect(rest == frames)
        }
    }

    @Test func choosesTheClientsFavouriteSubprotocol() throws {
        let request = try #require(try read([bytes(Self.browser)]).request)
        #expect(request.subprotocol(among: [bytes("chat"), bytes("v2.chat")]) == bytes("v2.chat"))
        #expect(request.subprotocol(among: [bytes("chat"), bytes("other")]) == bytes("chat"))
        #expect(request.subprotocol(among: [bytes("CHAT")]) == nil)
        #expect(request.subprotocol(among: []) == nil)
    }

    @Test func needsNoMoreThanTheRFCDoes() throws {
        let request = try #require(try fields(Self.upgrade + Self.rest))
        #expect(request.origin == nil)
        #expect(request.subprotocols == [])
        #expect(request.extensions.isEmpty)
        #expect(try read([bytes("\r\nGET / HTTP/1.1\r\n" + Self.upgrade + Self.rest + "\r\n")]).request?.resource == bytes("/"))
        #expect(try fields(Self.upgrade + "Content-Length: 0\r\n" + Self.rest)?.resource == bytes("/"))
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.0", .version), ("GET / HTTP/2.0", .version), ("GET / HTTP/0.9", .version), ("GET / HTTP/1.2", nil),
            ("POST / HTTP/1.1", .method), ("get / HTTP/1.1", .method), ("CONNECT h:80 HTTP/1.1", .method), ("PRI * HTTP/2.0", .version),
            ("GET * HTTP/1.1", .target), ("GET h:80 HTTP/1.1", .target), ("GET x HTTP/1.1", .target), ("GET /a#b HTTP/1.1", .target),
            ("GET /\u{E9} HTTP/1.1", .target), ("GET ftp://h/ HTTP/1.1", .target), ("GET http:///x HTTP/1.1", .target),
            ("GET http://user@h/ HTTP/1.1", .target), ("GET ws://h/ HTTP/1.1", .target),
            ("GET  / HTTP/1.1", .head(.malformedStartLine)), ("GET / HTTP/1.1 ", .head(.malformedStartLine)),
            ("GET /a b HTTP/1.1", .head(.malformedStartLine)), ("GET\t/\tHTTP/1.1", .head(.malformedStartLine)),
            ("GET /", .head(.malformedStartLine)), ("", .head(.malformedStartLine)), (" GET / HTTP/1.1", .head(.malformedStartLine)),
            ("GET / http/1.1", .head(.malformedStartLine)), ("GET / HTTP/1.10", .head(.malformedStartLine)),
            ("GET / HTTP/11", .head(.malformedStartLine)), ("G(T / HTTP/1.1", .head(.malformedStartLine)),
            ("GET /\u{0} HTTP/1.1", .head(.malformedStartLine)), ("GET /\n HTTP/1.1", .head(.malformedStartLine)),
            ("\u{16}\u{3}\u{1}\u{2}", .head(.malformedStartLine)), ("GET / HTTP/1.1\rX", .head(.malformedStartLine)),
        ] as [(String, RequestError?)])
    func checksTheRequestLine(line: String, error: RequestError?) throws {
        // An empty line before the request is overlooked once, so it takes two.
        let line = line.isEmpty ? "\r\n" : line
        if let error {
            #expect(throws: error) { try request(line, Self.upgrade + Self.rest) }
        } else {
            #expect(try request(line, Self.upgrade + Self.rest)?.resource == bytes("/"))
        }
    }

    @Test(arguments: [
        ("/x?y", "/x?y", "h"), ("//x/../y", "//x/../y", "h"), ("http://other:81/x?y", "/x?y", "other:81"), ("HTTPS://Other", "/", "other"),
        ("http://[::1]:9/x", "/x", "[::1]:9"),
    ])
    func takesTheTargetInBothForms(target: String, resource: String, host: String) throws {
        let request = try #require(try request("GET \(target) HTTP/1.1", Self.upgrade + Self.rest))
        #expect(request.resource == bytes(resource))
        #expect(request.host == bytes(host))
    }

    @Test(
        arguments: [
            ("Upgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host), ("Host: h\r\n" + upgrade + rest, .host),
            ("Host:\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: a b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: u@h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: h/\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: h?x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: h:x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: a, b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + rest, .host),
            ("Host: h\r\nConnection: Upgrade\r\n" + rest, .upgradeMissing), ("Host: h\r\nUpgrade: websocket\r\n" + rest, .upgradeMissing),
            ("Host: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" + rest, .upgradeMissing), ("Host: h\r\n", .upgradeMissing),
            ("Host: h\r\nUpgrade: websocket\r\nConnection: close\r\n" + rest, .upgradeMissing),
            ("Host: h\r\nUpgrade: h2c, WebSocket\r\nConnection: x\r\nconnection: UPGRADE\r\n" + rest, nil),
            (upgrade + "Sec-WebSocket-Version: 13\r\n", .key), (upgrade + rest + key, .key),
            (upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", .key),
            (upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n", .key),
            (upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25-ZQ==\r\n", .key),
            (upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25j=Q==\r\n", .key),
            (upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, x\r\n", .key),
            (upgrade + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key:\r\n", .key),
            (upgrade + key, .webSocketVersion), (upgrade + "Sec-WebSocket-Version: 8\r\n" + key, .webSocketVersion),
            (upgrade + "Sec-WebSocket-Version: 13, 8\r\n" + key, .webSocketVersion),
            (upgrade + rest + "Sec-WebSocket-Version: 13\r\n", .webSocketVersion),
            (upgrade + rest + "Origin: a\r\nOrigin: b\r\n", .origin), (upgrade + rest + "Content-Length: 5\r\n", .body),
            (upgrade + rest + "Content-Length: 0\r\nContent-Length: 1\r\n", .body), (upgrade + rest + "Content-Length: x\r\n", .body),
            (upgrade + rest + "Transfer-Encoding: chunked\r\n", .body), (upgrade + rest + "Transfer-Encoding:\r\n", .body),
            (upgrade + rest + "Sec-WebSocket-Protocol: a, b, a\r\n", .subprotocols),
            (upgrade + rest + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", .subprotocols),
            (upgrade + rest + "Sec-WebSocket-Protocol: a b\r\n", .subprotocols), (upgrade + rest + "Sec-WebSocket-Protocol: ,\r\n", nil),
            (upgrade + rest + " folded\r\n", .head(.malformedField)), (upgrade + rest + "X : y\r\n", .head(.malformedField)),
            (upgrade + rest + "X: a\nHost: evil\r\n", .head(.malformedField)), (upgrade + rest + "no colon\r\n", .head(.malformedField)),
            (upgrade + rest + String(repeating: "A: b\r\n", count: 128), .head(.tooManyFields)),
            (upgrade + rest + "Sec-WebSocket-Protocol: " + (0..<129).map { "p\($0)" }.joined(separator: ",") + "\r\n", .subprotocols),
        ] as [(String, RequestError?)])
    func checksTheFields(fields text: String, error: RequestError?) throws {
        if let error {
            #expect(throws: error) { try fields(text) }
        } else {
            #expect(try fields(text)?.subprotocols == [])
        }
    }

    @Test func limitsTheSize() throws {
        let input = bytes("GET / HTTP/1.1\r\n" + Self.upgrade + Self.rest + "\r\n")
        #expect(try read([input], headSizeMax: input.count).request?.resource == bytes("/"))
        for chunks in splits(input) {
            #expect(throws: RequestError.head(.tooLarge(limit: input.count - 1))) { try read(chunks, headSizeMax: input.count - 1) }
        }
    }

    @Test(
        arguments: [
            (.head(.malformedField), 400), (.head(.tooLarge(limit: 9)), 431), (.head(.tooManyFields), 431),
            (.head(.malformedStartLine), 400),
            (.version, 505), (.method, 405), (.host, 400), (.target, 400), (.body, 400), (.upgradeMissing, 426), (.webSocketVersion, 426),
            (.key, 400), (.origin, 400), (.subprotocols, 400),
        ] as [(RequestError, UInt16)])
    func answersARefusalThatHTTPClientsRead(error: RequestError, status: UInt16) throws {
        let response = error.response
        let head = try responseHead(String(decoding: response, as: UTF8.self))
        #expect(head.status == status)
        #expect(head.fields.contains("close", in: "connection"))
        #expect(try head.fields.contentLength() == UInt64(error.sentence.utf8.count + 1))
        #expect(response.suffix(error.sentence.utf8.count + 1).elementsEqual(bytes(error.sentence + "\n")))
        #expect(head.fields.contains("websocket", in: "upgrade") == (status == 426))
        #expect(head.fields.contains("upgrade", in: "connection") == (status == 426))
        #expect(head.fields.contains("13", in: "sec-websocket-version") == (status == 426))
        #expect(head.fields.contains("GET", in: "allow") == (status == 405))
    }

    @Test(arguments: 0..<300) func readsBrokenRequestsTheSameHoweverTheyAreSplit(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var input = bytes("GET /x HTTP/1.1\r\n" + Self.upgrade + Self.rest + "Origin: o\r\nContent-Length: 0\r\n\r\n")
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let byte = bytes("\r\n\t\u{0} :,=x9").randomElement(using: &random) ?? 0
            input[Int.random(in: 0..<input.count, using: &random)] = byte
        }
        func outcome(_ chunks: [[UInt8]]) -> String {
            do {
                let (request, rest) = try read(chunks)
                return request.map { "\($0.resource) \($0.host) \($0.key) \(rest)" } ?? "incomplete"
            } catch {
                return "\(error)"
            }
        }
        let whole = outcome([input])
        for cut in stride(from: 1, to: input.count, by: 3) {
            #expect(outcome([[UInt8](input[..<cut]), [UInt8](input[cut...])]) == whole)
        }
        #expect(outcome(input.map { [$0] }) == whole)
    }

    private func pageRequest(_ text: String) -> PageRequest? {
        var handshake = ServerHandshake()
        var consumed = 0
        #expect(throws: RequestError.self) { try bytes(text).withUnsafeBytes { try handshake.read($0, consumed: &consumed) } }
        return handshake.pageRequest
    }

    @Test(arguments: ["GET", "HEAD"], ["1.1", "1.0"])
    func whatAsksForAPageIsToldApart(method: String, version: String) throws {
        let request = try #require(pageRequest("\(method) /a/b?c=d HTTP/\(version)\r\nHost: h:1\r\nX: y\r\n\r\n"))
        #expect(request.resource.elementsEqual(bytes("/a/b?c=d")) && request.path.elementsEqual(bytes("/a/b")))
        #expect(request.host.elementsEqual(bytes("h:1")))
        #expect(request.isHead == (method == "HEAD"))
        #expect(request.fields.onlyValue("x")?.elementsEqual(bytes("y")) == true)
    }

    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "GET / HTTP/0.9\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /\u{7F} HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "GET / HTTP/1.1\r\nno field\r\n\r\n",
    ])
    func whatIsNoRequestForAPageIsNone(text: String) {
        #expect(pageRequest(text) == nil)
    }

    @Test func theAnswerToAHeadHasNoBody() {
        let answer = ServerHandshake.answer(status: 200, fields: [bytes("A: b")], body: bytes("body"), isHead: true)
        #expect(answer == bytes("HTTP/1.1 200 OK\r\nConnection: close\r\nA: b\r\nContent-Length: 4\r\n\r\n"))
    }
}
