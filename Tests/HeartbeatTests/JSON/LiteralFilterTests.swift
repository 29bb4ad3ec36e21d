import Heartbeat
import Testing

struct LiteralFilterTests {
    private func mayMatch(_ filter: LiteralFilter, _ message: [UInt8]) -> Bool { message.withUnsafeBytes { filter.mayMatch($0) } }

    private func contains(_ message: [UInt8], _ literal: [UInt8]) -> Bool {
        message.count >= literal.count && (0...message.count - literal.count).contains { message[$0...].starts(with: literal) }
    }

    @Test func passesMessagesWithALiteral() {
        let filter = LiteralFilter([Array("test_request".utf8), Array("\"ping\"".utf8)])
        for text in ["test_request", #"{"method":"heartbeat","params":{"type":"test_request"}}"#, #"{"op":"ping"}"#, #"["ping"]"#] {
            #expect(mayMatch(filter, Array(text.utf8)), "\(text)")
        }
        for text in [
            "", "ping", "test_reques", "est_request", "Test_request", #"{"op":"pong"}"#, #""pin" "ing""#,
            String(repeating: "test_reques ", count: 9),
        ] {
            #expect(!mayMatch(filter, Array(text.utf8)), "\(text)")
        }
    }

    @Test func passesMessagesWithABackslashWhereverItStands() {
        let filter = LiteralFilter([Array("heartbeat".utf8)])
        for length in 1...150 {
            for place in 0..<length {
                var message = [UInt8](repeating: 0x61, count: length)
                #expect(!mayMatch(filter, message))
                message[place] = 0x5C
                #expect(mayMatch(filter, message), "\(place) of \(length)")
            }
        }
    }

    @Test func passesNothingWithoutLiterals() {
        let filter = LiteralFilter([])
        for text in ["", "a", "\\", #"{"a":"\u0061"}"#] { #expect(!mayMatch(filter, Array(text.utf8))) }
    }

    @Test func passesEverythingIfAsked() {
        for filter in [LiteralFilter.everything, LiteralFilter([[]]), LiteralFilter([Array("a".utf8), []])] {
            for text in ["", "x", "\\", String(repeating: "y", count: 100)] { #expect(mayMatch(filter, Array(text.utf8))) }
        }
    }

    @Test func seesALiteralAtEveryPlace() {
        for literalLength in [1, 2, 3, 5, 8, 31, 32, 33, 40, 70] {
            let literal = (0..<literalLength).map { UInt8(0x41 + $0 % 26) }
            let filter = LiteralFilter([literal])
            for length in literalLength...(literalLength + 130) {
                for place in 0...(length - literalLength) {
                    var message = [UInt8](repeating: 0x78, count: length)
                    message.replaceSubrange(place..<place + literalLength, with: literal)
                    #expect(mayMatch(filter, message), "\(literalLength) at \(place) of \(length)")
                    message[place + literalLength / 2] = 0x79
                    #expect(!mayMatch(filter, message), "\(literalLength) at \(place) of \(length)")
                }
            }
        }
    }

    @Test func seesALiteralInLongMessages() {
        let literal = Array("keepalive".utf8)
        let filter = LiteralFilter([Array("other".utf8), literal])
        for length in [4095, 4096, 4097, 4104, 4105, 4135, 8192, 8200, 20_000] {
            var message = [UInt8](repeating: 0x6B, count: length)
            #expect(!mayMatch(filter, message))
            for place in [0, 4060, 4080, 4086, length - 9].filter({ $0 + 9 <= length }) {
                message.replaceSubrange(place..<place + 9, with: literal)
                #expect(mayMatch(filter, message), "at \(place) of \(length)")
                message.replaceSubrange(place..<place + 9, with: [UInt8](repeating: 0x6B, count: 9))
            }
        }
    }

    @Test func agreesWithAPlainSearchOverRandomBytes() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<6000 {
            let letters: [UInt8] = [0x61, 0x62, 0x22, 0x5F].shuffled(using: &random).dropLast(Int.random(in: 0...2, using: &random))
            func bytes(_ lengths: ClosedRange<Int>) -> [UInt8] {
                (0..<Int.random(in: lengths, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
            }
            let literals = (0..<Int.random(in: 1...4, using: &random)).map { _ in bytes(1...12) }
            var message = bytes(0...200)
            if Int.random(in: 0..<20, using: &random) == 0, let place = message.indices.randomElement(using: &random) {
                message[place] = 0x5C
            }
            let expected = message.contains(0x5C) || literals.contains { contains(message, $0) }
            let filter = LiteralFilter(literals)
            // At every alignment in memory.
            let shift = Int.random(in: 0..<16, using: &random)
            let isPassed = ([UInt8](repeating: 0x5C, count: shift) + message).withUnsafeBytes {
                filter.mayMatch(UnsafeRawBufferPointer(rebasing: $0[shift...]))
            }
            #expect(isPassed == expected, "\(literals) in \(message)")
        }
    }
}
