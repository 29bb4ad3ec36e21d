/// Section 6 of the Autobahn test suite, UTF-8, with the frame codec in the server role.
import Testing
import WebSocket

struct ServerCodecUTF8Tests {
    private static let umlauts = bytes("Hello-\u{B5}@\u{DF}\u{F6}\u{E4}\u{FC}\u{E0}\u{E1}-UTF-8!!")
    /// The Greek word for cosmos.
    private static let greek: [UInt8] = [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5]
    private static let edited = bytes("edited")
    private static let withSurrogate = greek + [0xED, 0xA0, 0x80] + edited

    private static let messages: [Exchange] = [
        Exchange("6.1.1", [masked(1)], [.text("")]),
        Exchange("6.1.2", [masked(1, isFinal: false), masked(0, isFinal: false), masked(0)], [.text("")]),
        Exchange("6.1.3", [masked(1, isFinal: false), masked(0, bytes("middle"), isFinal: false), masked(0)], [.text("middle")]),
        Exchange("6.2.1", [masked(1, umlauts)], [.message(.text, umlauts)]),
        Exchange("6.2.2", fragmented(1, umlauts, size: 14), [.message(.text, umlauts)]),
        Exchange("6.2.3", fragmented(1, umlauts, size: 1), [.message(.text, umlauts)]),
        Exchange("6.2.4", fragmented(1, greek, size: 1), [.message(.text, greek)]),
        Exchange("6.3.1", [masked(1, withSurrogate)], [], .failed(1007)),
        Exchange("6.3.2", fragmented(1, withSurrogate, size: 1), [], .failed(1007)),
    ]

    @Test(arguments: messages) func case6Messages(exchange: Exchange) { exchange.run() }

    /// 6.4: what can never become UTF-8 fails with the byte that makes it so, not with the end of the frame or the message.
    @Test func case6FailsFast() {
        let wrong: [UInt8] = Self.greek + [0xF4, 0x90, 0x80, 0x80] + Self.edited
        let oneFrame = masked(1, wrong)
        let header = oneFrame.count - wrong.count
        let twelve = [UInt8](wrong[..<12])
        let cases: [(String, [[UInt8]])] = [
            ("6.4.1", [masked(1, Self.greek, isFinal: false), masked(0, [0xF4, 0x90, 0x80, 0x80], isFinal: false)]),
            ("6.4.2", [masked(1, twelve, isFinal: false), masked(0, [0x90], isFinal: false)]),
            ("6.4.3", [[UInt8](oneFrame[..<(header + 11)]), [UInt8](oneFrame[(header + 11)..<(header + 15)])]),
            ("6.4.4", [[UInt8](oneFrame[..<(header + 12)]), [UInt8](oneFrame[(header + 12)..<(header + 13)])]),
        ]
        for (number, chunks) in cases {
            var server = EchoServer()
            server.receive(chunks[0])
            if server.hasClosed { Issue.record("case \(number) failed too early") }
            server.receive(chunks[1])
            if !server.hasClosed { Issue.record("case \(number) did not fail fast") }
        }
    }

    private static func hex(_ text: String) -> [UInt8] { text.split(separator: " ").compactMap { UInt8($0, radix: 16) } }

    /// Bytes that are, or are not, UTF-8.
    struct Sequence: CustomTestStringConvertible {
        let number: String
        let bytes: [UInt8]
        let isValid: Bool

        var testDescription: String { number }

        /// The exchange in which these frames carry the bytes as a text message.
        func exchange(_ frames: [[UInt8]]) -> Exchange {
            Exchange(number, frames, isValid ? [.message(.text, bytes)] : [], isValid ? .client : .failed(1007))
        }
    }

    private static func table(_ section: Int, isValid: Bool, _ sequences: [[UInt8]]) -> [Sequence] {
        sequences.enumerated().map { Sequence(number: "6.\(section).\($0 + 1)", bytes: $1, isValid: isValid) }
    }

    private static func table(_ section: Int, isValid: Bool, _ sequences: [String]) -> [Sequence] {
        table(section, isValid: isValid, sequences.map(hex))
    }

    private static let texts = table(
        5, isValid: true, ["hello$world", "hello\u{A2}world", "hello\u{20AC}world", "hello\u{24B62}world"].map(bytes) + [greek])

    /// Valid where they end between characters.
    private static let prefixes = (1...greek.count).map { size in
        Sequence(number: "6.6.\(size)", bytes: [UInt8](greek[..<size]), isValid: [2, 5, 7, 9, 11].contains(size))
    }

    private static let boundaries =
        table(7, isValid: true, ["00", "C2 80", "E0 A0 80", "F0 90 80 80"])
        + table(8, isValid: false, ["F8 88 80 80 80", "FC 84 80 80 80 80"])
        + table(9, isValid: true, ["7F", "DF BF", "EF BF BF", "F4 8F BF BF"])
        + table(10, isValid: false, ["F7 BF BF BF", "FB BF BF BF BF", "FD BF BF BF BF BF"])
        + table(11, isValid: true, ["ED 9F BF", "EE 80 80", "EF BF BD", "F4 8F BF BF"])
        + table(11, isValid: false, ["F4 90 80 80"])

    private static let truncated = [
        "C0", "E0 80", "F0 80 80", "F8 80 80 80", "FC 80 80 80 80", "DF", "EF BF", "F7 BF BF", "FB BF BF BF", "FD BF BF BF BF",
    ]

    private static let malformed =
        table(12, isValid: false, ["80", "BF", "80 BF", "80 BF 80", "80 BF 80 BF", "80 BF 80 BF 80", "80 BF 80 BF 80 BF"])
        + table(12, isValid: false, [[UInt8](0x80...0xBF)])
        + table(13, isValid: false, [0xC0...0xDF, 0xE0...0xEF, 0xF0...0xF7, 0xF8...0xFB, 0xFC...0xFD].map { $0.flatMap { [$0, 0x20] } })
        + table(14, isValid: false, truncated)
        + table(15, isValid: false, [truncated.flatMap(hex)])
        + table(16, isValid: false, ["FE", "FF", "FE FE FF FF"])
        + table(17, isValid: false, ["C0 AF", "E0 80 AF", "F0 80 80 AF", "F8 80 80 80 AF", "FC 80 80 80 80 AF"])
        + table(18, isValid: false, ["C1 BF", "E0 9F BF", "F0 8F BF BF", "F8 87 BF BF BF", "FC 83 BF BF BF BF"])
        + table(19, isValid: false, ["C0 80", "E0 80 80", "F0 80 80 80", "F8 80 80 80 80", "FC 80 80 80 80 80"])

    private static let highSurrogates = ["ED A0 80", "ED AD BF", "ED AE 80", "ED AF BF"]
    private static let lowSurrogates = ["ED B0 80", "ED BF BF"]

    private static let surrogates =
        table(20, isValid: false, highSurrogates + lowSurrogates + ["ED BE 80"])
        + table(21, isValid: false, highSurrogates.flatMap { high in lowSurrogates.map { high + " " + $0 } })

    /// The last two code points of every plane are no characters, but valid UTF-8 (RFC 3629).
    private static let nonCharacters = (0...16).flatMap { plane in
        [0xFFFE, 0xFFFF].compactMap { Unicode.Scalar(UInt32(plane << 16 | $0)) }.map { [UInt8](String($0).utf8) }
    }

    private static let specials =
        table(22, isValid: true, nonCharacters) + table(23, isValid: true, (0xB9...0xBF).map { [0xEF, 0xBF, UInt8($0)] })

    private static let sequences = texts + prefixes + boundaries + malformed + surrogates + specials

    @Test(arguments: sequences) func case6Sequences(sequence: Sequence) {
        sequence.exchange([masked(1, sequence.bytes)]).run()
        sequence.exchange(fragmented(1, sequence.bytes, size: 1)).run()
    }

    /// The reason of a close frame is text, too.
    @Test(arguments: sequences) func case6SequencesAsReasons(sequence: Sequence) {
        let close = masked(8, [0x03, 0xE8] + sequence.bytes)
        Exchange(sequence.number, [close], [], sequence.isValid ? .closed(1000) : .failed(1007)).run()
    }
}
