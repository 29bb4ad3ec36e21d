/// Both sides of the opening handshake against each other.
import Testing
import WebSocket

struct HandshakeRoundTripTests {
    /// The key and its proof from RFC 6455 section 1.3.
    private static let nonce = HandshakeNonce(key: bytes("dGhlIHNhbXBsZSBub25jZQ=="), accept: bytes("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))

    private func serve(_ request: [UInt8]) throws -> HandshakeRequest {
        var server = ServerHandshake()
        var consumed = 0
        let read = try request.withUnsafeBytes { try server.read($0, consumed: &consumed) }
        #expect(consumed == request.count)
        return try #require(read)
    }

    @Test(
        arguments: [
            ("ws://h/", [], [], nil), ("wss://h:8443/a/b?c=d", ["chat"], ["chat"], "chat"), ("ws://[::1]:81?q", ["a", "b"], ["b"], "b"),
            ("ws://127.0.0.1", ["a", "b"], ["b", "a"], "a"), ("ws://user:password@h", ["a"], [], nil),
        ] as [(String, [String], [String], String?)])
    func agree(url: String, offered: [String], supported: [String], chosen: String?) throws {
        let url = try URL(parsing: bytes(url))
        var client = ClientHandshake(nonce: Self.nonce, subprotocols: offered.map(bytes))
        let request = try serve(client.request(url: url, fields: [bytes("Origin: http://app.example")]))
        #expect(request.resource == url.resource)
        #expect(request.host == url.hostField)
        #expect(request.key == Self.nonce.key)
        #expect(request.origin == bytes("http://app.example"))
        #expect(request.subprotocols == offered.map(bytes))
        let subprotocol = request.subprotocol(among: supported.map(bytes))
        let answer = ServerHandshake.acceptance(proof: Self.nonce.accept, subprotocol: subprotocol) + [0x81, 0x00]
        var consumed = 0
        let agreement = try answer.withUnsafeBytes { try client.read($0, consumed: &consumed) }
        #expect(agreement?.subprotocol == bytes(chosen ?? ""))
        #expect(answer[consumed...] == [0x81, 0x00])
    }

    @Test func agreeOnCompression() throws {
        var client = ClientHandshake(nonce: Self.nonce, subprotocols: [], compression: DeflateParameters())
        let request = try serve(client.request(url: try URL(parsing: bytes("ws://h")), fields: []))
        #expect(request.extensions.count == 1)
        let answer = ServerHandshake.acceptance(proof: Self.nonce.accept, extensions: bytes("permessage-deflate"))
        var consumed = 0
        let agreement = try answer.withUnsafeBytes { try client.read($0, consumed: &consumed) }
        #expect(agreement?.compression != nil)
    }

    @Test(arguments: [RequestError.key, .method, .webSocketVersion, .head(.tooManyFields), .version])
    func theClientReadsWhyItIsRefused(error: RequestError) throws {
        for chunks in splits(error.response) {
            var client = ClientHandshake(nonce: Self.nonce, subprotocols: [])
            #expect(throws: HandshakeError.refused(HTTPRefusal(status: error.status, body: bytes(error.sentence + "\n")))) {
                for chunk in chunks {
                    var consumed = 0
                    _ = try chunk.withUnsafeBytes { try client.read($0, consumed: &consumed) }
                }
            }
        }
    }

    @Test func anApplicationRefusesWithItsOwnFields() {
        let response = ServerHandshake.refusal(status: 429, fields: [bytes("Retry-After: 9")], body: bytes("later"))
        var client = ClientHandshake(nonce: Self.nonce, subprotocols: [])
        #expect(throws: HandshakeError.refused(HTTPRefusal(status: 429, body: bytes("later"), retryAfterMs: 9000))) {
            var consumed = 0
            _ = try response.withUnsafeBytes { try client.read($0, consumed: &consumed) }
        }
    }
}
