/// The frame codec in the server role, over the cases of the Autobahn test suite.
import Testing
import WebSocket

struct ServerCodecTests {
    private static let hello = "Hello, world!"
    private static let octets: [UInt8] = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF]

    private static func pong(_ payload: [UInt8]) -> Received { .control(.pong, payload) }
    private static func stars(_ size: Int) -> [UInt8] { [UInt8](repeating: 0x2A, count: size) }

    // MARK: 1, framing

    private static let framing = [0, 125, 126, 127, 128, 65535, 65536, 65536].enumerated().flatMap { index, size in
        [
            Exchange("1.1.\(index + 1)", [masked(1, stars(size))], [.message(.text, stars(size))]),
            Exchange(
                "1.2.\(index + 1)", [masked(2, [UInt8](repeating: 0xFE, count: size))],
                [.message(.binary, [UInt8](repeating: 0xFE, count: size))]),
        ]
    }

    @Test(arguments: framing) func case1Framing(exchange: Exchange) { exchange.run() }

    // MARK: 2, pings and pongs

    private static let pings: [Exchange] = [
        Exchange("2.1", [masked(9)], [pong([])]),
        Exchange("2.2", [masked(9, bytes(hello))], [pong(bytes(hello))]),
        Exchange("2.3", [masked(9, octets)], [pong(octets)]),
        Exchange("2.4, 2.6", [masked(9, [UInt8](repeating: 0xFE, count: 125))], [pong([UInt8](repeating: 0xFE, count: 125))]),
        Exchange("2.5", [masked(9, [UInt8](repeating: 0xFE, count: 126))], [], .failed(1002)),
        Exchange("2.7", [masked(10)]),
        Exchange("2.8", [masked(10, bytes("unsolicited"))]),
        Exchange("2.9", [masked(10, bytes("unsolicited")), masked(9, bytes("ping"))], [pong(bytes("ping"))]),
        Exchange("2.10, 2.11", (0..<10).map { masked(9, bytes("payload-\($0)")) }, (0..<10).map { pong(bytes("payload-\($0)")) }),
    ]

    @Test(arguments: pings) func case2Pings(exchange: Exchange) { exchange.run() }

    // MARK: 3, reserved bits

    private static func reserved(_ number: String, _ bits: UInt8) -> Exchange {
        Exchange(number, [masked(1, bytes(hello)), masked(1, bytes(hello), reserved: bits), masked(9)], [.text(hello)], .failed(1002))
    }

    private static let reservedBits: [Exchange] = [
        Exchange("3.1", [masked(1, bytes(hello), reserved: 1)], [], .failed(1002)),
        reserved("3.2", 2), reserved("3.3", 3), reserved("3.4", 4),
        Exchange("3.5", [masked(2, octets, reserved: 5)], [], .failed(1002)),
        Exchange("3.6", [masked(9, bytes(hello), reserved: 6)], [], .failed(1002)),
        Exchange("3.7", [masked(8, reserved: 7)], [], .failed(1002)),
    ]

    @Test(arguments: reservedBits) func case3ReservedBits(exchange: Exchange) { exchange.run() }

    // MARK: 4, opcodes

    private static let opcodes = [[3, 4, 5, 6, 7], [11, 12, 13, 14, 15]].enumerated().flatMap { group, opcodes in
        opcodes.enumerated().map { index, opcode in
            let payload = index == 0 || index == 2 ? [] : bytes(hello)
            let reserved = masked(UInt8(opcode), payload)
            let frames = index < 2 ? [reserved] : [masked(1, bytes(hello)), reserved, masked(9)]
            return Exchange("4.\(group + 1).\(index + 1)", frames, index < 2 ? [] : [.text(hello)], .failed(1002))
        }
    }

    @Test(arguments: opcodes) func case4Opcodes(exchange: Exchange) { exchange.run() }

    // MARK: 5, fragmentation

    private static let first = masked(1, bytes("one"), isFinal: false)
    private static let middle = masked(0, bytes("two"), isFinal: false)
    private static let last = masked(0, bytes("three"))
    private static let whole = masked(1, bytes(hello))

    private static let fragments: [Exchange] = [
        Exchange("5.1", [masked(9, bytes("one"), isFinal: false), last], [], .failed(1002)),
        Exchange("5.2", [masked(10, bytes("one"), isFinal: false), last], [], .failed(1002)),
        Exchange("5.3 to 5.5", [first, last], [.text("onethree")]),
        Exchange("5.6 to 5.8", [first, masked(9, bytes("ping")), last], [pong(bytes("ping")), .text("onethree")]),
        Exchange("5.9 to 5.11", [last, whole], [], .failed(1002)),
        Exchange("5.12 to 5.14", [middle, whole], [], .failed(1002)),
        Exchange("5.15", [first, last, middle, whole], [.text("onethree")], .failed(1002)),
        Exchange("5.16", [middle, first, last, middle, first, last], [], .failed(1002)),
        Exchange("5.17", [last, first, last, last, first, last], [], .failed(1002)),
        Exchange("5.18", [first, whole], [], .failed(1002)),
        Exchange(
            "5.19, 5.20", [first, middle, masked(9, bytes("1")), middle, middle, masked(9, bytes("2")), last],
            [pong(bytes("1")), pong(bytes("2")), .text("onetwotwotwothree")]),
    ]

    @Test(arguments: fragments) func case5Fragments(exchange: Exchange) { exchange.run() }

    /// The first ping of 5.19 is answered before the message is complete.
    @Test func case5AnswersPingsBetweenFragmentsAtOnce() {
        var server = EchoServer()
        for chunk in [Self.first, Self.middle, masked(9, bytes("1"))] { server.receive(chunk) }
        #expect(server.sent == [Self.pong(bytes("1"))])
    }

    // MARK: 7, closing

    private static func close(_ code: UInt16, _ reason: [UInt8] = []) -> [UInt8] {
        masked(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + reason)
    }

    private static let large = [UInt8](repeating: 0x42, count: 256 << 10)
    private static let notUTF8: [UInt8] = [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xED, 0xA0, 0x80, 0x65, 0x64]

    private static let closes: [Exchange] = [
        Exchange("7.1.1", [whole, close(1000)], [.text(hello)], .closed(1000)),
        Exchange("7.1.2", [close(1000), masked(8)], [], .closed(1000)),
        Exchange("7.1.3", [close(1000), masked(9)], [], .closed(1000)),
        Exchange("7.1.4", [close(1000), whole], [], .closed(1000)),
        Exchange("7.1.5", [first, close(1000), last], [], .closed(1000)),
        Exchange("7.1.6", [masked(1, large), whole, close(1000), masked(9)], [.message(.text, large), .text(hello)], .closed(1000)),
        Exchange("7.3.1", [masked(8)], [], .closed(1005)),
        Exchange("7.3.2", [masked(8, [0x61])], [], .failed(1002)),
        Exchange("7.3.3", [close(1000)], [], .closed(1000)),
        Exchange("7.3.4", [close(1000, bytes(hello))], [], .closed(1000)),
        Exchange("7.3.5", [close(1000, stars(123))], [], .closed(1000)),
        Exchange("7.3.6", [close(1000, stars(124))], [], .failed(1002)),
        Exchange("7.5.1", [close(1000, notUTF8)], [], .failed(1007)),
    ]
    private static let legalCodes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999].enumerated().map {
        Exchange("7.7.\($0 + 1)", [close($1)], [], .closed($1))
    }
    private static let illegalCodes = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999].enumerated().map {
        Exchange("7.9.\($0 + 1)", [close($1)], [], .failed(1002))
    }
    private static let undefinedCodes = [5000, 65535].enumerated().map { Exchange("7.13.\($0 + 1)", [close($1)], [], .failed(1002)) }

    @Test(arguments: closes + legalCodes + illegalCodes + undefinedCodes) func case7Closing(exchange: Exchange) { exchange.run() }

    // MARK: 9, limits

    private static let sizes = [64 << 10, 256 << 10, 1 << 20, 4 << 20].enumerated().flatMap { index, size in
        [
            Exchange("9.1.\(index + 1)", [masked(1, stars(size))], [.message(.text, stars(size))]),
            Exchange("9.2.\(index + 1)", [masked(2, stars(size))], [.message(.binary, stars(size))]),
        ]
    }

    @Test(arguments: sizes) func case9Sizes(exchange: Exchange) { exchange.run(chops: [65536]) }

    /// The first is of as many fragments as the suite's, 65536; sizes are a quarter of the suite's or less.
    private static let fragmentSizes = [16, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 512 << 10, 1 << 20].enumerated()

    @Test(arguments: fragmentSizes.map { ($0 + 1, $1) }) func case9FragmentsOfManySizes(number: Int, size: Int) {
        let payload = Self.stars(1 << 20)
        Exchange("9.3.\(number)", fragmented(1, payload, size: size), [.message(.text, payload)]).run(chops: [])
        Exchange("9.4.\(number)", fragmented(2, payload, size: size), [.message(.binary, payload)]).run(chops: [])
    }

    @Test func case9ChopsOfManySizes() {
        let payload = Self.stars(256 << 10)
        let chops = [64, 128, 256, 512, 1024, 2048]
        Exchange("9.5", [masked(1, payload)], [.message(.text, payload)]).run(chops: chops)
        Exchange("9.6", [masked(2, payload)], [.message(.binary, payload)]).run(chops: chops)
    }

    @Test(arguments: [0, 16, 64, 256, 1024, 4096].enumerated().map { ($0 + 1, $1) }) func case9ManyMessages(number: Int, size: Int) {
        let payload = Self.stars(size)
        for (opcode, kind, section) in [(1, .text, 7), (2, .binary, 8)] as [(UInt8, MessageKind, Int)] {
            let frames = [[UInt8]](repeating: masked(opcode, payload), count: 1000)
            let replies = [Received](repeating: .message(kind, payload), count: 1000)
            Exchange("9.\(section).\(number)", frames, replies).run(chops: [997])
        }
    }

    // MARK: 10, automatic fragmentation

    @Test func case10Fragments() {
        Exchange("10.1.1", fragmented(1, Self.stars(65536), size: 1300), [.message(.text, Self.stars(65536))]).run(chops: [997])
    }
}
