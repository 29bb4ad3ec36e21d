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
            ("Upgrade: other, websocket\r\nConnection: x\r\nConnection: upgrade\r\n" + accept, nil),
            ("Connection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket2\r\nConnection: Upgrade\r\n" + accept, .upgradeMissing),
            ("Upgrade: websocket\r\n" + accept, .connectionMissing),
            ("Upgrade: websocket\r\nConnection: close\r\n" + accept, .connectionMissing),
            (fields, .acceptMissing),
            (fields + accept + accept, .acceptMissing),
            (fields + "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", .acceptWrong),
            (fields + "Sec-WebSocket-Accept: \r\n", .acceptWrong),
            (fields + "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==\r\n", .acceptWrong),
            (fields + accept + "Sec-WebSocket-Extensions: permessage-deflate\r\n", .unaskedExtension),
            (fields + accept + "Sec-WebSocket-Extensions:\r\n", nil),
            (fields + accept + "Sec-WebSocket-Protocol: chat\r\n", .unaskedSubprotocol),
            (fields + "no colon\r\n" + accept, .head(.malformedField)),
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
        #expect(throws: HandshakeError.head(.malformedStatusLine)) { try answer([input]) }
    }

    @Test func passesInterimAnswers() throws {
        let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        for chunks in splits(bytes(interim + "HTTP/1.1 101 X\r\n" + Self.fields + Self.accept + "\r\n")) {
            #expect(try answer(chunks).subprotocol == [])
        }
    }

    /// As many as one read can hold: neither time nor stack may grow out of bounds with them.
    @Test func passesManyInterimAnswersInOneRead() throws {
        let interim = String(repeating: "HTTP/1.1 100\r\n\r\n", count: 16384)
        let input = bytes(interim + "HTTP/1.1 101 X\r\n" + Self.fields + Self.accept + "\r\n")
        #expect(try answer([input]).subprotocol == [])
    }

    @Test(arguments: [200, 301, 403, 426, 503] as [UInt16]) func reportsARefusalWithItsBody(status: UInt16) {
        let input = bytes("HTTP/1.1 \(status) No\r\nContent-Length: 3\r\n\r\nwhyHTTP/1.1")
        for chunks in splits(input) {
            #expect(throws: HandshakeError.refused(status: status, body: bytes("why"))) { try answer(chunks) }
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
        #expect(handshake.unfinishedRefusal == .refused(status: 503, body: bytes("come ba")))
    }

    @Test func saysWhatIsWrongInOneSentence() {
        let errors: [HandshakeError] = [
            .head(.tooLarge), .head(.tooManyFields), .head(.malformedStatusLine), .head(.malformedField), .upgradeMissing,
            .connectionMissing, .acceptMissing, .acceptWrong, .unaskedExtension, .unaskedSubprotocol, .refused(status: 418, body: []),
        ]
        let sentences = errors.map { $0.sentence }
        #expect(Set(sentences).count == errors.count)
        #expect(sentences.last?.contains("418") == true)
    }
}
