import Testing
import WebSocket

struct HTTPHeadTests {
    private func parse(_ text: String) throws -> HTTPHead { try HTTPHead(parsing: bytes(text)) }

    @Test(
        arguments: [
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", 101), ("HTTP/1.1 200 OK\r\n\r\n", 200), ("HTTP/1.1 404\r\n\r\n", 404),
            ("HTTP/1.1 404 \r\n\r\n", 404), ("HTTP/1.0 503 Nope\r\n\r\n", 503), ("http/1.1 999 \u{FC}\r\n\r\n", 999),
        ] as [(String, UInt16)])
    func readsTheStatus(head: String, status: UInt16) throws {
        #expect(try parse(head).status == status)
    }

    @Test(arguments: [
        "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.1 10\r\n\r\n", "HTTP/1.1 1010\r\n\r\n", "HTTP/1.1 099\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1  101\r\n\r\n", "HTTP/1.2 101\r\n\r\n", "HTTP/2.0 101\r\n\r\n", "HTTP/1.1\t101 OK\r\n\r\n",
        "HTTP/1.1 101OK\r\n\r\n", "HTTP/1.1 101 O\u{0}K\r\n\r\n", "HTTP/1.1 101 O\nK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
    ])
    func refusesMalformedStatusLines(head: String) {
        #expect(throws: HTTPHeadError.malformedStatusLine) { try parse(head) }
    }

    @Test func readsFields() throws {
        let head = try parse("HTTP/1.1 101 X\r\nA: one\r\nb:two\r\nA:\t three \t\r\nEmpty:\r\nOdd: a:b\u{FC}\r\n\r\n")
        func values(_ name: StaticString) -> [[UInt8]] { head.values(name).map { [UInt8]($0) } }
        #expect(values("a") == [bytes("one"), bytes("three")])
        #expect(values("B") == [bytes("two")])
        #expect(values("empty") == [[]])
        #expect(values("odd") == [bytes("a:b\u{FC}")])
        #expect(values("missing") == [])
    }

    @Test func findsTokensInLists() throws {
        let head = try parse("HTTP/1.1 101 X\r\nConnection: keep-alive, Upgrade\r\nConnection: other\r\n\r\n")
        #expect(head.contains("upgrade", in: "connection"))
        #expect(head.contains("OTHER", in: "Connection"))
        #expect(!head.contains("keep", in: "connection"))
        #expect(!head.contains("upgrade", in: "upgrade"))
    }

    @Test(arguments: [
        "no colon", ": no name", "space : before", " folded", "\tfolded", "na\u{0}me: x", "(x): y", "v: a\u{0}b", "v: a\u{7F}b", "v: a\nb",
        "v: a\rb", "n\u{FC}: v",
    ])
    func refusesMalformedFields(line: String) {
        #expect(throws: HTTPHeadError.malformedField) { try parse("HTTP/1.1 101 X\r\nOk: 1\r\n\(line)\r\n\r\n") }
    }

    @Test func limitsTheNumberOfFields() throws {
        let field = "A: b\r\n"
        let most = try parse("HTTP/1.1 101 X\r\n" + String(repeating: field, count: HTTPHead.fieldsMax) + "\r\n")
        #expect(most.fields.count == HTTPHead.fieldsMax)
        #expect(throws: HTTPHeadError.tooManyFields) {
            try parse("HTTP/1.1 101 X\r\n" + String(repeating: field, count: HTTPHead.fieldsMax + 1) + "\r\n")
        }
    }
}

struct HTTPHeadReaderTests {
    private func read(_ chunks: [[UInt8]]) throws -> (head: HTTPHead?, rest: [UInt8]) {
        var reader = HTTPHeadReader()
        var head: HTTPHead?
        var rest: [UInt8] = []
        for chunk in chunks {
            var consumed = 0
            if head == nil { head = try chunk.withUnsafeBytes { try reader.read($0, consumed: &consumed) } }
            rest += chunk[consumed...]
        }
        return (head, rest)
    }

    @Test func readsTheSameHoweverTheInputIsSplitAndLeavesTheRest() throws {
        let input = bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n") + [0x81, 0x00, 0x0D, 0x0A]
        for chunks in splits(input) {
            let (head, rest) = try read(chunks)
            #expect(head?.status == 101)
            #expect(head?.contains("websocket", in: "upgrade") == true)
            #expect(rest == [0x81, 0x00, 0x0D, 0x0A])
        }
    }

    @Test(arguments: ["H", "HTTP/1.1 101 X\r\n", "HTTP/1.1 101 X\r\nA: b\r\n\r", "HTTP/1.1 101 X\n\n", "HTTP/1.1 101 X\r\n\n"])
    func waitsForTheEmptyLine(start: String) throws {
        for chunks in splits(bytes(start)) { #expect(try read(chunks).head?.status == nil) }
    }

    @Test func refusesAtOnceWhatIsNotHTTP() {
        for (text, size) in [("S", 1), ("HTTX", 4), ("HTTP 1", 5), ("\r", 1), ("220 ftp", 1)] {
            for chunks in splits(bytes(text)) { #expect(throws: HTTPHeadError.malformedStatusLine) { try read(chunks) } }
            #expect(throws: HTTPHeadError.malformedStatusLine) { try read([[UInt8](bytes(text).prefix(size))]) }
        }
    }

    @Test func limitsTheSize() throws {
        let start = bytes("HTTP/1.1 101 X\r\nA: ")
        let end = bytes("\r\n\r\n")
        let room = HTTPHead.sizeMax - start.count - end.count
        #expect(try read([start + [UInt8](repeating: 0x61, count: room) + end]).head?.status == 101)
        #expect(throws: HTTPHeadError.tooLarge) { try read([start + [UInt8](repeating: 0x61, count: room + 1) + end]) }
        #expect(throws: HTTPHeadError.tooLarge) { try read([start + [UInt8](repeating: 0x61, count: HTTPHead.sizeMax)]) }
    }
}
