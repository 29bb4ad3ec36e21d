import Testing
import WebSocket

@testable import Heartwire

/// What a handshake says and how it ends when the proxy answers each of its messages with the next answer.
struct ProxyExchange {
    enum End: Equatable {
        case waiting
        case open
        case failed(ProxyError)
    }

    var sent: [[UInt8]] = []
    var end = End.waiting
    /// Bytes of the last answer that were left for the server's protocol.
    var left = 0

    /// Feeds the answers in pieces of at most `pieceSize` bytes.
    init(_ proxy: String, to server: String, _ answers: [[UInt8]], pieceSize: Int = .max) throws {
        let handshake = try Proxy(parsing: bytes(proxy)).handshake(to: URL(parsing: bytes(server)))
        sent.append(handshake.takeOutput())
        for answer in answers {
            var rest = answer[...]
            while !rest.isEmpty, case .waiting = end {
                let piece = [UInt8](rest.prefix(pieceSize))
                var consumed = 0
                do throws(ProxyError) {
                    if try Self.read(handshake, piece, &consumed) { end = .open }
                } catch {
                    end = .failed(error)
                }
                rest = rest.dropFirst(consumed)
                let output = handshake.takeOutput()
                if !output.isEmpty { sent.append(output) }
            }
            left = rest.count
        }
    }

    private static func read(_ handshake: any ProxyHandshake, _ piece: [UInt8], _ consumed: inout Int) throws(ProxyError) -> Bool {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: piece)
        return try handshake.read(UnsafeRawBufferPointer(buffer), consumed: &consumed)
    }

    /// The same however the answers are split.
    static func inAnyPieces(_ proxy: String, to server: String = "ws://h:81/path", _ answers: [[UInt8]]) throws -> ProxyExchange {
        let whole = try ProxyExchange(proxy, to: server, answers)
        for size in 1...max(1, answers.map(\.count).max() ?? 1) {
            let split = try ProxyExchange(proxy, to: server, answers, pieceSize: size)
            #expect(split.end == whole.end, "in pieces of \(size)")
            #expect(split.sent.flatMap { $0 } == whole.sent.flatMap { $0 }, "in pieces of \(size)")
        }
        return whole
    }
}

struct HTTPConnectTests {
    private func end(_ answer: String) throws -> ProxyExchange { try .inAnyPieces("http://p", [bytes(answer)]) }

    @Test(arguments: [
        ("ws://h/path?query", "h:80"), ("wss://H", "h:443"), ("ws://h:81", "h:81"), ("ws://[::1]:81", "[::1]:81"),
        ("wss://[fe80::1%eth0]", "[fe80::1]:443"),
    ])
    func asksForTheServer(url: String, target: String) throws {
        let exchange = try ProxyExchange("http://p", to: url, [])
        #expect(exchange.sent == [bytes("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")])
    }

    @Test func sendsCredentials() throws {
        let exchange = try ProxyExchange("http://Aladdin:open%20sesame@p", to: "ws://h", [])
        let expected = "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
        #expect(exchange.sent == [bytes(expected)])
    }

    /// A successful answer has no body, whatever its fields say (RFC 9110 section 9.3.6).
    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n", "HTTP/1.1 299\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ])
    func opensTheTunnelAndLeavesTheServersBytes(answer: String) throws {
        #expect(try end(answer).end == .open)
        let withMore = try end(answer + "hello")
        #expect(withMore.end == .open)
        let whole = try ProxyExchange("http://p", to: "ws://h", [bytes(answer + "hello")])
        #expect(whole.left == 5)
    }

    @Test(
        arguments: [
            (407, false), (403, false), (404, false), (101, false), (301, false), (408, true), (429, true), (500, true), (502, true),
            (503, true),
        ] as [(UInt16, Bool)])
    func reportsOtherStatuses(status: UInt16, isRetryable: Bool) throws {
        let exchange = try end("HTTP/1.1 \(status) No\r\nContent-Length: 100\r\n\r\n")
        #expect(exchange.end == .failed(.status(status)))
        #expect(ProxyError.status(status).isRetryable == isRetryable)
        #expect(ProxyError.status(status).httpStatus == status)
        #expect(ProxyError.status(status).phrase.contains("\(status)"))
    }

    @Test(
        arguments: [
            ("\u{5}\u{0}", .malformedStartLine), ("SSH-2.0-x\r\n", .malformedStartLine), ("HTTP/2.0 200 OK\r\n\r\n", .malformedStartLine),
            ("HTTP/1.1 20 OK\r\n\r\n", .malformedStartLine), ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", .malformedField),
        ] as [(String, HTTPHeadError)])
    func refusesWhatIsNoHTTP(answer: String, error: HTTPHeadError) throws {
        #expect(try end(answer).end == .failed(.head(error)))
        #expect(!ProxyError.head(error).isRetryable)
    }

    @Test func refusesAnEndlessHead() throws {
        let endless = try ProxyExchange(
            "http://p", to: "ws://h", [bytes("HTTP/1.1 200 OK\r\nX: ") + [UInt8](repeating: 0x61, count: 100_000)])
        #expect(endless.end == .failed(.head(.tooLarge(limit: HTTPHead.sizeMax))))
        let interim = bytes("HTTP/1.1 100 Continue\r\n\r\n")
        let patient = try ProxyExchange("http://p", to: "ws://h", Array(repeating: interim, count: 10_000))
        #expect(patient.end == .failed(.head(.tooLarge(limit: HTTPHead.sizeMax))))
    }
}

struct SOCKS5Tests {
    private let success: [UInt8] = [5, 0, 0, 1, 10, 0, 0, 1, 0x1F, 0x90]

    @Test(
        arguments: [
            ("ws://name.example", [3, 12] + bytes("name.example") + [0, 80]), ("wss://10.1.2.3:258", [1, 10, 1, 2, 3, 1, 2]),
            ("wss://[::1]", [4] + [UInt8](repeating: 0, count: 15) + [1, 1, 0xBB]), ("ws://127.1", [3, 5] + bytes("127.1") + [0, 80]),
            ("ws://[fe80::2%eth0]", [4, 0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [2, 0, 80]),
        ] as [(String, [UInt8])])
    func asksForTheServer(url: String, target: [UInt8]) throws {
        let exchange = try ProxyExchange.inAnyPieces("socks5://p", to: url, [[5, 0], success])
        #expect(exchange.sent == [[5, 1, 0], [5, 1, 0] + target])
        #expect(exchange.end == .open)
    }

    @Test func sendsCredentials() throws {
        let exchange = try ProxyExchange.inAnyPieces("socks5h://user:secret@p", [[5, 2], [1, 0], success])
        #expect(
            exchange.sent == [[5, 2, 0, 2], [1, 4] + bytes("user") + [6] + bytes("secret"), [5, 1, 0, 3, 1] + bytes("h") + [0, 81]])
        #expect(exchange.end == .open)
    }

    @Test func keepsCredentialsFromAProxyThatDoesNotAskForThem() throws {
        let exchange = try ProxyExchange.inAnyPieces("socks5h://user:secret@p", [[5, 0], success])
        #expect(exchange.sent == [[5, 2, 0, 2], [5, 1, 0, 3, 1] + bytes("h") + [0, 81]])
        #expect(exchange.end == .open)
    }

    @Test(
        arguments: [
            [5, 0, 0, 1, 1, 2, 3, 4, 5, 6], [5, 0, 0, 3, 0, 1, 2], [5, 0, 0, 3, 3, 0x61, 0x62, 0x63, 1, 2],
            [5, 0, 0xFF, 4] + [UInt8](repeating: 9, count: 18),
        ] as [[UInt8]])
    func leavesTheServersBytes(reply: [UInt8]) throws {
        #expect(try ProxyExchange.inAnyPieces("socks5://p", [[5, 0], reply]).end == .open)
        #expect(try ProxyExchange("socks5://p", to: "ws://h", [[5, 0], reply + bytes("hello")]).left == 5)
        #expect(try ProxyExchange("socks5://p", to: "ws://h", [[5, 0], reply.dropLast()]).end == .waiting)
    }

    /// An answer that comes before its question is read all the same.
    @Test func readsAnswersInOnePiece() throws {
        let exchange = try ProxyExchange.inAnyPieces("socks5://u:p@p", [[5, 2, 1, 0] + success])
        #expect(exchange.end == .open)
        #expect(exchange.left == 0)
    }

    @Test(
        arguments: [
            ([[4, 0]], .notSOCKS5), ([bytes("HTTP/1.1 400")], .notSOCKS5), ([[5, 0xFF]], .methodsRefused), ([[5, 1]], .methodsRefused),
            ([[5, 2], [5, 0]], .notSOCKS5), ([[5, 2], [1, 1]], .credentialsRefused), ([[5, 2], [1, 0xFF]], .credentialsRefused),
            ([[5, 0], [4, 0]], .notSOCKS5), ([[5, 0], [5, 0, 0, 2, 0]], .notSOCKS5), ([[5, 0], [5, 0, 0, 0, 0]], .notSOCKS5),
        ] as [([[UInt8]], ProxyError)])
    func refusesAnythingElse(answers: [[UInt8]], error: ProxyError) throws {
        #expect(try ProxyExchange.inAnyPieces("socks5://u:p@p", answers).end == .failed(error))
        #expect(!error.isRetryable)
    }

    @Test func refusesAMethodThatWasNotOffered() throws {
        #expect(try ProxyExchange.inAnyPieces("socks5://p", [[5, 2]]).end == .failed(.methodsRefused))
    }

    @Test func reportsEveryReply() throws {
        for reply in UInt8(1)...255 {
            let exchange = try ProxyExchange.inAnyPieces("socks5://p", [[5, 0], [5, reply]])
            #expect(exchange.end == .failed(.reply(reply)))
            #expect(ProxyError.reply(reply).isRetryable == ![2, 7, 8].contains(reply))
            #expect(ProxyError.reply(reply).nativeCode == Int32(reply))
            #expect(!ProxyError.reply(reply).phrase.isEmpty)
        }
    }
}
