import CHeartwire
import Testing

@testable import Heartwire

struct HeaderFieldsTests {
    private func status(_ name: [UInt8], _ value: [UInt8], after fields: HeaderFields = HeaderFields()) -> hw_status {
        var fields = fields
        do throws(ErrorDetails) {
            try fields.add(name: name, value: value)
            return hw_status(HW_OK)
        } catch {
            return error.status
        }
    }

    @Test func keepsFieldsAsLinesInOrder() throws {
        var fields = HeaderFields()
        try fields.add(name: bytes("Authorization"), value: bytes("Bearer x"))
        try fields.add(name: bytes("Cookie"), value: bytes("a=1"))
        try fields.add(name: bytes("Cookie"), value: bytes(""))
        #expect(fields.lines == [bytes("Authorization: Bearer x"), bytes("Cookie: a=1"), bytes("Cookie: ")])
    }

    @Test(arguments: ["", "a b", "a:", "\u{FC}", "a\r\nb", "(a)", "a\u{0}"]) func refusesNamesThatAreNoTokens(name: String) {
        #expect(status(bytes(name), bytes("x")) == hw_status(HW_E_HEADER))
    }

    @Test(arguments: ["a\r\nInjected: b", "a\nb", "a\rb", "a\u{0}b", "\u{7F}", "\u{1B}"]) func refusesControlCharacters(value: String) {
        #expect(status(bytes("X"), bytes(value)) == hw_status(HW_E_HEADER))
    }

    @Test(arguments: [
        "Host", "UPGRADE", "connection", "Content-Length", "transfer-encoding", "Sec-WebSocket-Key", "sec-websocket-anything",
        "Sec-WebSocket-Protocol", "Sec-WebSocket-", "TE", "Trailer", "Expect", "Keep-Alive", "Proxy-Connection",
        "Proxy-Authorization",
    ])
    func refusesFieldsOfTheHandshake(name: String) {
        #expect(status(bytes(name), bytes("x")) == hw_status(HW_E_HEADER))
    }

    @Test(arguments: [
        ("Host", "taken from the URL"), ("Sec-WebSocket-Protocol", "the property 'subprotocols'"), ("Upgrade", "library writes"),
    ])
    func saysWhatToDoInstead(name: String, advice: String) {
        var fields = HeaderFields()
        do throws(ErrorDetails) {
            try fields.add(name: bytes(name), value: bytes("x"))
        } catch {
            #expect(error.message.contains(advice))
        }
    }

    @Test func findsFieldsByName() throws {
        var fields = HeaderFields()
        try fields.add(name: bytes("Authorization"), value: bytes("x: y"))
        #expect(fields.contains("authorization"))
        #expect(!fields.contains("authorizatio"))
        #expect(!fields.contains("x"))
    }

    @Test func removesAllOfAName() throws {
        var fields = HeaderFields()
        for name in ["X-Token", "X-Tokens", "x-token"] { try fields.add(name: bytes(name), value: [UInt8](repeating: 0x61, count: 10_000)) }
        fields.removeAll(named: bytes("X-TOKEN"))
        #expect(fields.lines.map { $0.prefix(10).elementsEqual(bytes("X-Tokens: ")) } == [true])
        #expect(status(bytes("Y"), [UInt8](repeating: 0x61, count: 20_000), after: fields) == hw_status(HW_OK))
    }

    @Test(arguments: ["Origin", "X-Host", "Hosts", "Sec-WebSocketX", "User-Agent"]) func takesOthers(name: String) {
        #expect(status(bytes(name), bytes("gr\u{FC}n\ttab")) == hw_status(HW_OK))
    }

    @Test func limitsTheirNumber() throws {
        var fields = HeaderFields()
        for _ in 0..<HeaderFields.countMax { try fields.add(name: bytes("X"), value: bytes("y")) }
        #expect(status(bytes("X"), bytes("y"), after: fields) == hw_status(HW_E_TOO_LARGE))
    }

    @Test func limitsTheirSize() throws {
        #expect(status(bytes("X"), [UInt8](repeating: 0x61, count: HeaderFields.sizeMax - 3)) == hw_status(HW_OK))
        #expect(status(bytes("X"), [UInt8](repeating: 0x61, count: HeaderFields.sizeMax - 2)) == hw_status(HW_E_TOO_LARGE))
        var fields = HeaderFields()
        try fields.add(name: bytes("X"), value: [UInt8](repeating: 0x61, count: HeaderFields.sizeMax - 10))
        #expect(status(bytes("X"), bytes("1234"), after: fields) == hw_status(HW_OK))
        #expect(status(bytes("X"), bytes("12345"), after: fields) == hw_status(HW_E_TOO_LARGE))
    }
}
