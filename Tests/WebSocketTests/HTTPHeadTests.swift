import Testing
import WebSocket

/// The head of a response that `text` holds whole.
func responseHead(_ text: String) throws -> HTTPHead {
    var reader = HTTPHeadReader()
    var consumed = 0
    let input = bytes(text)
    let head = try input.withUnsafeBytes { try reader.read($0, consumed: &consumed) }
    return try #require(head)
}

struct HTTPHeadTests {
    @Test(
        arguments: [
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", 101), ("HTTP/1.1 200 OK\r\n\r\n", 200), ("HTTP/1.1 404\r\n\r\n", 404),
            ("HTTP/1.1 404 \r\n\r\n", 404), ("HTTP/1.0 503 Nope\r\n\r\n", 503), ("HTTP/1.1 999 \u{FC}\r\n\r\n", 999),
        ] as [(String, UInt16)])
    func readsTheStatus(head: String, status: UInt16) throws {
        #expect(try responseHead(head).status == status)
    }

    @Test(arguments: [
        "\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.1 10\r\n\r\n", "HTTP/1.1 1010\r\n\r\n", "HTTP/1.1 099\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1  101\r\n\r\n", "HTTP/1.2 101\r\n\r\n", "HTTP/2.0 101\r\n\r\n", "HTTP/1.1\t101 OK\r\n\r\n",
        "HTTP/1.1 101OK\r\n\r\n", "HTTP/1.1 101 O\u{0}K\r\n\r\n", "HTTP/1.1 101 O\nK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "http/1.1 101 OK\r\n\r\n", "HTTP/1.1 101 O\rK\r\n\r\n", "HTTP/1.1 101 OK\n\n", " HTTP/1.1 101 OK\r\n\r\n", "HTTP/1.1 +10\r\n\r\n",
        "\r\nHTTP/1.1 101 OK\r\n\r\n",
    ])
    func refusesMalformedStatusLines(head: String) {
        #expect(throws: HTTPHeadError.malformedStartLine) { try responseHead(head) }
    }

    @Test func readsFields() throws {
        let head = try responseHead("HTTP/1.1 101 X\r\nA: one\r\nb:two\r\nA:\t three \t\r\nEmpty:\r\nOdd: a:b\u{FC}\r\n\r\n")
        func values(_ name: StaticString) -> [[UInt8]] { head.fields.values(name).map { [UInt8]($0) } }
        #expect(values("a") == [bytes("one"), bytes("three")])
        #expect(values("B") == [bytes("two")])
        #expect(values("empty") == [[]])
        #expect(values("odd") == [bytes("a:b\u{FC}")])
        #expect(values("missing") == [])
        #expect(head.fields.onlyValue("b").map { [UInt8]($0) } == bytes("two"))
        #expect(head.fields.onlyValue("a") == nil)
        #expect(head.fields.onlyValue("missing") == nil)
    }

    @Test func findsTokensInLists() throws {
        let fields = try responseHead("HTTP/1.1 101 X\r\nConnection: keep-alive,, Upgrade\r\nConnection: other\r\n\r\n").fields
        #expect(fields.contains("upgrade", in: "connection"))
        #expect(fields.contains("OTHER", in: "Connection"))
        #expect(!fields.contains("keep", in: "connection"))
        #expect(!fields.contains("upgrade", in: "upgrade"))
        #expect(!fields.containsOnly("upgrade", in: "connection"))
        #expect(!fields.containsOnly("upgrade", in: "upgrade"))
    }

    /// RFC 9112 section 5: no folding, no space before the colon, no empty name, no control character but the tab, CRLF alone ends a line.
    @Test(arguments: [
        "no colon", ": no name", "space : before", " folded", "\tfolded", "na\u{0}me: x", "(x): y", "v: a\u{0}b", "v: a\u{7F}b", "v: a\nb",
        "v: a\rb", "n\u{FC}: v", "v: a\u{1B}b", "n\tm: v", "v: a\n\r", "v: a\r", "\"n\": v", ":", " ", "\u{B}v: x",
    ])
    func refusesMalformedFields(line: String) {
        #expect(throws: HTTPHeadError.malformedField) { try responseHead("HTTP/1.1 101 X\r\nOk: 1\r\n\(line)\r\n\r\n") }
    }

    @Test func limitsTheNumberOfFields() throws {
        let field = "A: b\r\n"
        let most = try responseHead("HTTP/1.1 101 X\r\n" + String(repeating: field, count: HTTPFields.countMax) + "\r\n")
        #expect(most.fields.count == HTTPFields.countMax)
        #expect(throws: HTTPHeadError.tooManyFields) {
            try responseHead("HTTP/1.1 101 X\r\n" + String(repeating: field, count: HTTPFields.countMax + 1) + "\r\n")
        }
    }
}

struct HTTPHeadReaderTests {
    private func read(_ chunks: [[UInt8]], sizeMax: Int = HTTPHead.sizeMax) throws -> (head: HTTPHead?, rest: [UInt8]) {
        var reader = HTTPHeadReader(sizeMax: sizeMax)
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
            #expect(head?.fields.contains("websocket", in: "upgrade") == true)
            #expect(rest == [0x81, 0x00, 0x0D, 0x0A])
        }
    }

    @Test func readsOneHeadAfterAnotherUnderOneLimit() throws {
        let input = bytes("HTTP/1.1 100\r\nA: 1\r\n\r\nHTTP/1.1 103\r\n\r\n")
        for (sizeMax, fits) in [(input.count, true), (input.count - 1, false)] {
            var reader = HTTPHeadReader(sizeMax: sizeMax)
            var consumed = 0
            let first = try input.withUnsafeBytes { try reader.read($0, consumed: &consumed) }
            #expect(first?.status == 100)
            #expect(first?.fields.count == 1)
            if fits {
                let second = try input.withUnsafeBytes { try reader.read($0, consumed: &consumed) }
                #expect(second?.status == 103)
                #expect(second?.fields.count == 0)
            } else {
                #expect(throws: HTTPHeadError.tooLarge(limit: sizeMax)) {
                    try input.withUnsafeBytes { _ = try reader.read($0, consumed: &consumed) }
                }
            }
        }
    }

    @Test(arguments: ["H", "HTTP/1.1 101 X\r\n", "HTTP/1.1 101 X\r\nA: b\r\n\r", "HTTP/1.1 101 X\r", "\r"])
    func waitsForTheEmptyLine(start: String) throws {
        for chunks in splits(bytes(start)) { #expect(try read(chunks).head?.status == nil) }
    }

    @Test func refusesAtOnceWhatIsNotHTTP() {
        for (text, size) in [("S", 1), ("HTTX", 4), ("HTTP 1", 5), ("\r\n", 2), ("\n", 1), ("220 ftp", 1), ("\u{16}\u{3}\u{1}", 1)] {
            for chunks in splits(bytes(text)) { #expect(throws: HTTPHeadError.malformedStartLine) { try read(chunks) } }
            #expect(throws: HTTPHeadError.malformedStartLine) { try read([[UInt8](bytes(text).prefix(size))]) }
        }
    }

    @Test(arguments: [HTTPHead.sizeMax, 1024]) func limitsTheSize(sizeMax: Int) throws {
        let start = bytes("HTTP/1.1 101 X\r\nA: ")
        let end = bytes("\r\n\r\n")
        let room = sizeMax - start.count - end.count
        let tooLarge = HTTPHeadError.tooLarge(limit: sizeMax)
        #expect(try read([start + [UInt8](repeating: 0x61, count: room) + end], sizeMax: sizeMax).head?.status == 101)
        #expect(throws: tooLarge) { try read([start + [UInt8](repeating: 0x61, count: room + 1) + end], sizeMax: sizeMax) }
        #expect(throws: tooLarge) { try read([start + [UInt8](repeating: 0x61, count: sizeMax)], sizeMax: sizeMax) }
    }

    /// Time must grow with the size, not with its square: were it so, this would not end.
    @Test(.timeLimit(.minutes(2))) func readsAHugeFieldInLinearTime() throws {
        let size = 20 << 20
        let start = bytes("HTTP/1.1 101 X\r\nA: ")
        let whole = start + [UInt8](repeating: 0x61, count: size) + bytes("\r\n\r\n")
        #expect(throws: HTTPHeadError.tooLarge(limit: HTTPHead.sizeMax)) { try read([whole]) }
        #expect(try read([whole], sizeMax: .max).head?.fields.values("a").first?.count == size)
        let trickle = start + [UInt8](repeating: 0x61, count: size / 10) + bytes("\r\n\r\n")
        #expect(try read(trickle.map { [$0] }, sizeMax: .max).head?.status == 101)
    }

    @Test(arguments: 0..<200) func readsRandomlyBrokenHeadsTheSameHoweverTheyAreSplit(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var input = bytes("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: a, b\r\n\r\nrest")
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let byte: UInt8 = [0, 9, 10, 13, 32, 58, 127, 200].randomElement(using: &random) ?? 0
            input[Int.random(in: 0..<input.count, using: &random)] = byte
        }
        func outcome(_ chunks: [[UInt8]]) -> String {
            do {
                let (head, rest) = try read(chunks)
                return head.map { "\($0.status) \($0.fields.count) \(rest)" } ?? "incomplete"
            } catch {
                return "\(error)"
            }
        }
        let whole = outcome([input])
        for chunks in splits(input) { #expect(outcome(chunks) == whole) }
    }
}
