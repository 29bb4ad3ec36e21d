import Testing
import WebSocket

struct ClientHandshakeTests {
    /// The key and its proof from RFC 6455 section 1.3.
    private static let nonce = HandshakeNonce(key: bytes("dGhlIHNhbXBsZSBub25jZQ=="), accept: bytes("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    private static let fields = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    private static let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

    /// The agreed subprotocol, nil while more is needed, and what was left of the input.
    private func answer(_ chunks: [[UInt8]], subprotocols: [String] = []) throws -> (subprotocol: [UInt8]?, rest: [UInt8]) {
        var handshake = ClientHandshake(nonce: Self.nonce, subprotocols: subprotocols.map(bytes))
        var subprotocol: [UInt8]?
        var rest: [UInt8] = []
        for chunk in chunks {
            var consumed = 0
            if subprotocol == nil {
                subprotocol = try chunk.withUnsafeBytes { try handshake.read($0, consumed: &consumed)?.subprotocol }
            }
            rest += chunk[consumed...]
        }
        return (subprotocol, rest)
    }

    private func answer(_ fields: String, subprotocols: [String] = []) throws -> [UInt8]? {
        try answer([bytes("HTTP/1.1 101 Switching Protocols\r\n" + fields + "\r\n")], subprotocols: subprotocols).subprotocol
    }

    @Test func asksAsTheRFCWants() throws {
        let handshake = ClientHandshake(nonce: Self.nonce, subprotocols: [bytes("chat"), bytes("v2.chat")])
        let url = try URL(parsing: bytes("ws://server.example.com:8080/chat?room=1"))
        let request = handshake.request(url: url, fields: [bytes("Origin: http://example.com"), bytes("X-Key: 1")])
        #expect(
            String(decoding: request, as: UTF8.self) == """
                GET /chat?room=1 HTTP/1.1\r
                Host: server.example.com:8080\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Version: 13\r
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                Sec-WebSocket-Protocol: chat, v2.chat\r
                Origin: http://example.com\r
                X-Key: 1\r
                \r

                """)
    }

    @Test func asksForNoSubprotocolUnlessTold() throws {
        let handshake = ClientHandshake(nonce: Self.nonce, subprotocols: [])
        let request = String(decoding: handshake.request(url: try URL(parsing: bytes("ws://h")), fields: []), as: UTF8.self)
        #expect(request.hasPrefix("GET / HTTP/1.1\r\nHost: h\r\n"))
        #expect(!request.contains("Sec-WebSocket-Protocol"))
        #expect(request.hasSuffix("==\r\n\r\n"))
    }

    @Test func succeedsHoweverTheAnswerIsSplitAndLeavesTheFirstFrames() throws {
        let input = bytes("HTTP/1.1 101 X\r\n" + Self.fields + Self.accept + "\r\n") + [0x81, 0x00]
        for chunks in splits(input) {
            let (subprotocol, rest) = try answer(chunks)
            #expect(subprotocol == [])
            #expect(rest == [0x81, 0x00])
        }
    }

    @Test(
        arguments: [
            ("UPGRADE: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" + accept, nil),
            ("Upgrade: websocket\r\nConnection: x\r\nConnection: , upgrade,\r\n" + accept, nil),
            ("Upgrade: websocket\r\nUpgrade: WEBSOCKET\r\nConnection: Upgrade\r\n" + accept, nil),
            ("Upgrade: other, websocket\r\nConnection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket/13\r\nConnection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade:\r\nConnection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket\r\nConnection: Upgrade2\r\n" + accept, .connectionMissing),
            ("Upgrade: websocket\r\nConnection: keep-alive Upgrade\r\n" + accept, .connectionMissing),
            ("Connection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket2\r\nConnection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket\r\n" + accept, .connectionMissing),
            ("Upgrade: websocket\r\nConnection: close\r\n" + accept, .connectionMissing),
            (fields, .acceptMissing),
            (fields + accept + accept, .acceptMissing),
            (fields + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", .acceptWrong),
            (fields + "Sec-WebSocket-Accept: \r\n", .acceptWrong),
            (fields + "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n", .acceptWrong),
            (fields + "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=, x\r\n", .acceptWrong),
            (fields + "Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t\r\n", nil),
            (fields + accept + "Sec-WebSocket-Accept: other\r\n", .acceptMissing),
            (fields + accept + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8\r\n", nil),
            (fields + accept + "Content-Length: 0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", nil),
            (fields + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n", .unaskedExtension),
            (fields + accept + "Sec-WebSocket-Extensions:\r\n", nil),
            (fields + accept + "Sec-WebSocket-Protocol: chat\r\n", .unaskedSubprotocol),
            (fields + "no colon\r\n" + accept, .head(.malformedField)),
            (fields + " folded: x\r\n" + accept, .head(.malformedField)),
            (fields + "Sec-WebSocket-Accept : x\r\n" + accept, .head(.malformedField)),
            (fields + "X: a\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", .head(.malformedField)),
        ] as [(String, HandshakeError?)])
    func checksTheAnswer(fields: String, error: HandshakeError?) throws {
        if let error {
            #expect(throws: error) { try answer(fields) }
        } else {
            #expect(try answer(fields) == [])
        }
    }

    @Test(
        arguments: [
            ("Sec-WebSocket-Protocol: v2.chat\r\n", "v2.chat", nil),
            ("", "", nil),
            ("Sec-WebSocket-Protocol: CHAT\r\n", "", .unaskedSubprotocol),
            ("Sec-WebSocket-Protocol: chat, v2.chat\r\n", "", .unaskedSubprotocol),
            ("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", "", .unaskedSubprotocol),
            ("Sec-WebSocket-Protocol: other\r\n", "", .unaskedSubprotocol),
            ("Sec-WebSocket-Protocol:\r\n", "", .unaskedSubprotocol),
        ] as [(String, String, HandshakeError?)])
    func takesASubprotocolThatWasOffered(field: String, chosen: String, error: HandshakeError?) throws {
        let fields = Self.fields + Self.accept + field
        if let error {
            #expect(throws: error) { try answer(fields, subprotocols: ["chat", "v2.chat"]) }
        } else {
            #expect(try answer(fields, subprotocols: ["chat", "v2.chat"]) == bytes(chosen))
        }
    }

    @Test func doesNotSwitchProtocolsOverHTTP10() {
        let input = bytes("HTTP/1.0 101 X\r\n" + Self.fields + Self.accept + "\r\n")
        #expect(throws: HandshakeError.head(.malformedStartLine)) { try answer([input]) }
    }

    @Test func passesInterimAnswers() throws {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        for chunks in splits(bytes(interim + "HTTP/1.1 101 X\r\n" + Self.fields + Self.accept + "\r\n")) {
            #expect(try answer(chunks).subprotocol == [])
        }
    }

    /// As many as one read can hold: the stack must not grow with them, and together they stay under one limit.
    @Test func passesManyInterimAnswersUpToTheLimit() throws {
        let interim = String(repeating: "HTTP/1.1 100\r\n\r\n", count: 3000)
        let final = "HTTP/1.1 101 X\r\n" + Self.fields + Self.accept + "\r\n"
        #expect(try answer([bytes(interim + final)]).subprotocol == [])
        #expect(throws: HandshakeError.head(.tooLarge(limit: HTTPHead.sizeMax))) { try answer([bytes(interim + interim + final)]) }
    }

    @Test func limitsTheHeadAsTold() throws {
        let input = bytes("HTTP/1.1 101 X\r\n" + Self.fields + Self.accept + "\r\n")
        func read(sizeMax: Int) throws -> [UInt8]? {
            var handshake = ClientHandshake(nonce: Self.nonce, subprotocols: [], headSizeMax: sizeMax)
            var consumed = 0
            return try input.withUnsafeBytes { try handshake.read($0, consumed: &consumed) }?.subprotocol
        }
        #expect(try read(sizeMax: input.count) == [])
        #expect(throws: HandshakeError.head(.tooLarge(limit: input.count - 1))) { try read(sizeMax: input.count - 1) }
    }

    @Test(arguments: [200, 301, 403, 426, 503] as [UInt16]) func reportsARefusalWithItsBody(status: UInt16) {
        let input = bytes("HTTP/1.1 \(status) No\r\nContent-Length: 3\r\n\r\nwhyHTTP/1.1")
        for chunks in splits(input) {
            #expect(throws: HandshakeError.refused(HTTPRefusal(status: status, body: bytes("why")))) { try answer(chunks) }
        }
    }

    @Test func reportsWhatARefusalSaysOfOtherPlacesAndTimes() {
        let input = bytes("HTTP/1.1 503 No\r\nLocation: /x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
        let refusal = HTTPRefusal(status: 503, location: bytes("/x"), retryAfterMs: 7000)
        for chunks in splits(input) { #expect(throws: HandshakeError.refused(refusal)) { try answer(chunks) } }
        let ambiguous = bytes("HTTP/1.1 302 No\r\nLocation: /x\r\nLocation: /y\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n")
        #expect(throws: HandshakeError.refused(HTTPRefusal(status: 302))) { try answer([ambiguous]) }
    }

    @Test func refusesARefusalWithContradictingLengths() {
        let input = bytes("HTTP/1.1 403 No\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nwhy")
        for chunks in splits(input) { #expect(throws: HandshakeError.head(.contentLength)) { try answer(chunks) } }
    }

    /// The body of a redirect that will be followed need not arrive, nor end.
    @Test(arguments: [301, 302, 303, 307, 308, 300, 304, 305] as [UInt16])
    func doesNotWaitForTheBodyOfARedirectToFollow(status: UInt16) throws {
        let isRedirect = ![300, 304, 305].contains(status)
        let input = bytes("HTTP/1.1 \(status) Elsewhere\r\nLocation: wss://other/\r\nContent-Length: 9\r\n\r\n")
        for chunks in splits(input) {
            var handshake = ClientHandshake(nonce: Self.nonce, subprotocols: [], followsRedirects: true)
            var refusals: [HandshakeError] = []
            for chunk in chunks where refusals.isEmpty {
                var consumed = 0
                do {
                    _ = try chunk.withUnsafeBytes { try handshake.read($0, consumed: &consumed) }
                } catch let error as HandshakeError {
                    refusals.append(error)
                }
            }
            let refusal = HandshakeError.refused(HTTPRefusal(status: status, location: bytes("wss://other/")))
            #expect(refusals == (isRedirect || status == 304 ? [refusal] : []))
        }
    }

    @Test func keepsTheRefusalWhoseBodyIsStillComing() throws {
        var handshake = ClientHandshake(nonce: Self.nonce, subprotocols: [])
        #expect(handshake.unfinishedRefusal == nil)
        var consumed = 0
        let input = bytes("HTTP/1.1 503 Busy\r\n\r\ncome ba")
        let result = try input.withUnsafeBytes { try handshake.read($0, consumed: &consumed)?.subprotocol }
        #expect(result == nil)
        #expect(consumed == input.count)
        #expect(handshake.unfinishedRefusal == .refused(HTTPRefusal(status: 503, body: bytes("come ba"))))
    }

    @Test func saysWhatIsWrongInOneSentence() {
        let refusal = HTTPRefusal(status: 302, location: bytes("ws://x"))
        let errors: [HandshakeError] = [
            .head(.tooLarge(limit: 77)), .head(.tooManyFields), .head(.malformedStartLine), .head(.malformedField), .head(.contentLength),
            .upgradeMissing, .connectionMissing, .acceptMissing, .acceptWrong, .unaskedExtension, .unaskedSubprotocol,
            .redirect(.tooMany(limit: 5), refusal), .redirect(.downgrade, refusal), .redirect(.target(.hostMissing), refusal),
            .refused(refusal), .refused(HTTPRefusal(status: 418)),
        ]
        let sentences = errors.map { $0.sentence }
        #expect(Set(sentences).count == errors.count)
        #expect(sentences.first?.contains("77") == true)
        #expect(sentences.last?.contains("418") == true)
    }

    @Test func namesWhereARedirectPointsWithoutTrustingIt() {
        func sentence(_ location: [UInt8], status: UInt16 = 302) -> String {
            HandshakeError.refused(HTTPRefusal(status: status, location: location)).sentence
        }
        #expect(sentence(bytes("wss://other.example/feed")).contains("302 and points to 'wss://other.example/feed'; open that URL"))
        #expect(sentence(bytes("/\u{E9}\u{1B}[31m\t")).contains("'/???[31m?'"))
        #expect(sentence([UInt8](repeating: 0x61, count: 8000)).utf8.count < 255)
        #expect(!sentence(bytes("wss://other.example"), status: 404).contains("other"))
    }

    @Test func saysHowLongToWait() {
        let refusal = HTTPRefusal(status: 429, retryAfterMs: 30_000)
        #expect(HandshakeError.refused(refusal).sentence.hasSuffix("with HTTP status 429 and asks to wait 30 s (Retry-After)"))
    }
}
