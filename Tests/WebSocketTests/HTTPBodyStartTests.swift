import Testing
import WebSocket

struct HTTPBodyStartTests {
    private func body(_ fields: String, _ chunks: [[UInt8]], status: Int = 400) throws -> HTTPBodyStart {
        var body = try HTTPBodyStart(head: try responseHead("HTTP/1.1 \(status) Bad\r\n" + fields + "\r\n"))
        for chunk in chunks { chunk.withUnsafeBytes { body.append($0) } }
        return body
    }

    @Test(arguments: [
        ("Content-Length: 5\r\n", "hello and more", "hello", true),
        ("Content-Length: 5\r\n", "hell", "hell", false),
        ("Content-Length: 0\r\n", "ignored", "", true),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", "hello and more", "hello", true),
        ("Content-Length: 5, 5\r\n", "hello and more", "hello", true),
        ("Content-Length: 18446744073709551615\r\n", "huge", "huge", false),
        ("Transfer-Encoding: chunked, gzip\r\n", "until close", "until close", false),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n", "a", true),
        ("", "until close", "until close", false),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", true),
        ("Transfer-Encoding: gzip, Chunked\r\nContent-Length: 3\r\n", "1;name=value\r\na\r\n0\r\n\r\n", "a", true),
        ("Transfer-Encoding: chunked\r\n", "A\r\n0123456789\r\n0f\r\n012345678901234\r\n0\r\n", "0123456789012345678901234", true),
        ("Transfer-Encoding: chunked\r\n", "5\r\nhel", "hel", false),
        ("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "", true),
        ("Transfer-Encoding: chunked\r\n", "\r\nhello", "", true),
        ("Transfer-Encoding: chunked\r\n", "xyz\r\nhello", "", true),
        ("Transfer-Encoding: chunked\r\n", "-1\r\nhello", "", true),
        ("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFFFFFFFFF\r\nhello", "hello", false),
        ("Transfer-Encoding: chunked\r\n", "5", "", false),
    ])
    func keepsTheBodyHoweverItIsSplit(fields: String, input: String, expected: String, isComplete: Bool) throws {
        for chunks in splits(bytes(input)) {
            let result = try body(fields, chunks)
            #expect(result.bytes == bytes(expected))
            #expect(result.isComplete == isComplete)
        }
    }

    @Test(arguments: ["5\r\nContent-Length: 6", "5, 6", "99999999999999999999999", "-5", "+5", "5 5", "0x5", "", "5,"])
    func refusesLengthsThatContradictOrAreNone(length: String) {
        #expect(throws: HTTPHeadError.contentLength) { try body("Content-Length: \(length)\r\n", []) }
    }

    @Test(arguments: [204, 304]) func expectsNoBodyWhereNoneCanBe(status: Int) throws {
        #expect(try body("Content-Length: 5\r\n", [], status: status).isComplete)
    }

    @Test func givesUpOnAChunkSizeWithoutEnd() throws {
        let result = try body("Transfer-Encoding: chunked\r\n", [[UInt8](repeating: 0x31, count: 100_000)])
        #expect(result.bytes == [])
        #expect(result.isComplete)
    }

    @Test(arguments: ["", "Content-Length: 5000\r\n", "Transfer-Encoding: chunked\r\n"]) func keepsTheStartOnly(fields: String) throws {
        let prefix = fields.hasPrefix("Transfer") ? "1388\r\n" : ""
        let result = try body(fields, [bytes(prefix) + [UInt8](repeating: 0x62, count: 5000)])
        #expect(result.bytes == [UInt8](repeating: 0x62, count: HTTPBodyStart.sizeMax))
        #expect(result.isComplete)
    }
}
