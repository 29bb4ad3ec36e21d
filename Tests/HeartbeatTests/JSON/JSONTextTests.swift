import Heartbeat
import Testing

struct JSONTextTests {
    static let whitespace: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]

    /// The scanner and the tree have grammars of their own; what one takes the other must take.
    private func bothAccept(_ text: [UInt8]) -> Bool {
        let isScanned = isDocument(text)
        #expect(isScanned == ((try? JSONNode.parse(text)) != nil), "\(String(decoding: text, as: UTF8.self))")
        return isScanned
    }

    @Test func acceptsDocuments() {
        for (about, text) in JSONDocuments.accepted {
            #expect(bothAccept(text), "\(about): \(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test func rejectsWhatIsNoDocument() {
        for (about, text) in JSONDocuments.rejected {
            #expect(!bothAccept(text), "\(about): \(String(decoding: text.prefix(100), as: UTF8.self))")
        }
    }

    @Test func acceptsWhitespaceAroundDocuments() {
        for (about, text) in JSONDocuments.accepted {
            #expect(bothAccept(Self.whitespace + text + Self.whitespace), "\(about): \(String(decoding: text, as: UTF8.self))")
        }
    }

    @Test func rejectsAllThatFollowsDocuments() {
        for (about, text) in JSONDocuments.accepted where !Self.isNumber(text) {
            for byte in UInt8.min...UInt8.max where !Self.whitespace.contains(byte) {
                #expect(!bothAccept(text + [byte]), "\(about): \(String(decoding: text, as: UTF8.self)) and \(byte)")
            }
        }
    }

    @Test func rejectsDocumentsWithoutTheirEnd() {
        for (about, text) in JSONDocuments.accepted where !Self.isNumber(text) {
            for count in text.indices {
                #expect(!bothAccept([UInt8](text.prefix(count))), "\(about): \(String(decoding: text, as: UTF8.self)) up to \(count)")
            }
        }
    }

    /// Every byte that strings may hold, at every place of a word of eight.
    @Test func endsStringsWhereverQuotesStand() {
        for length in 0...20 {
            for byte in UInt8(0x20)...0xFF where byte != 0x22 && byte != 0x5C {
                let string = [0x22] + [UInt8](repeating: byte, count: length) + [0x22]
                #expect(isDocument(string))
                #expect(!isDocument(string + [0x22]))
                #expect(!isDocument(string.dropLast()))
            }
        }
    }

    @Test func saysWhatIsWrongAndWhere() throws {
        let cases: [(String, JSONSyntaxError.Problem, Int)] = [
            ("", .unfinished, 0), (" ", .unfinished, 1), ("[1,", .unfinished, 3), (#"{"a"#, .unfinished, 3), (#""\u00"#, .unfinished, 5),
            ("x", .value, 0), ("[1,]", .value, 3), (#"{"a":}"#, .value, 5), ("\u{FEFF}1", .value, 0), ("+1", .value, 0),
            ("{1}", .nameOrEnd, 1), (#"{"a":1,}"#, .name, 7), (#"{"a" 1}"#, .colon, 5), ("[1 2]", .commaOrEnd, 3),
            (#"{"a":1]"#, .commaOrEnd, 6), ("1 2", .trailing, 2), ("nulx", .literal, 3), ("-x", .digit, 1), ("1.", .unfinished, 2),
            ("[1.]", .digit, 3), (#""\x""#, .escape, 2), (#""\u00g0""#, .hexDigit, 5), ("\"a\nb\"", .controlCharacter, 2),
            (String(repeating: "[", count: 65), .tooDeep, 64),
        ]
        for (text, problem, offset) in cases {
            let error = try #require(throws: JSONSyntaxError.self) { try JSONNode.parse(Array(text.utf8)) }
            #expect(error.offset == offset && error.problem == problem, "\(text)")
            #expect(error.sentence.hasSuffix(" (byte \(offset))"))
        }
    }

    private static func isNumber(_ text: [UInt8]) -> Bool { text.first.map { $0 == 0x2D || (0x30...0x39).contains($0) } ?? false }
}
