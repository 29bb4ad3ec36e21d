import Heartbeat
import Testing

struct JSONFoundTests {
    private func equals(_ document: String, _ scalar: JSONScalar) throws -> Bool {
        try withFound(document) { $0?.equals(scalar) == true }
    }

    private func textEquals(_ document: String, _ text: String) throws -> Bool {
        try withFound(document) { $0?.scalarTextEquals(Array(text.utf8)) == true }
    }

    @Test func comparesStringsByCodePoints() throws {
        let equal = [
            (#""ping""#, "ping"), (#""\u0070\u0069ng""#, "ping"), (#""public\/heartbeat""#, "public/heartbeat"), (#""""#, ""),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0000""#, "\0"), (#""é""#, "é"), (#""\u00e9""#, "\u{E9}"),
            (#""\u00E9""#, "\u{E9}"),
            (#""\u007f\u0080\u07ff\u0800\uffff""#, "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}"), (#""\ud83e\udec0""#, "🫀"),
            (#""\uD83E\uDEC0!""#, "🫀!"),
            (#""\ud800\udc00\udbff\udfff""#, "\u{10000}\u{10FFFF}"), (#""\\u0041""#, "\\u0041"),
        ]
        for (document, content) in equal {
            #expect(try equals(document, .string(Array(content.utf8))), "\(document)")
            #expect(try textEquals(document, content), "\(document)")
            #expect(try !equals(document, .string(Array((content + "x").utf8))), "\(document)")
            if !content.isEmpty { #expect(try !equals(document, .string(Array(content.utf8.dropLast()))), "\(document)") }
        }
    }

    @Test func tellsStringsApart() throws {
        let different = [
            (#""ping""#, "Ping"), (#""ping ""#, "ping"), (#""pin""#, "ping"), (#""\u200bping""#, "ping"), (#""e\u0301""#, "\u{E9}"),
            (#""\"ping\"""#, "ping"),
            (#""1""#, "\"1\""),
        ]
        for (document, content) in different {
            #expect(try !equals(document, .string(Array(content.utf8))), "\(document)")
            #expect(try !textEquals(document, content), "\(document)")
        }
    }

    @Test func holdsLoneSurrogatesForNothingElse() throws {
        for document in [
            #""\ud83e""#, #""\udec0""#, #""\udec0\ud83e""#, #""a\ud83e""#, #""\ud83e\u0041""#, #""\ud83e\\udec0""#, #""\ud83e\ud83e""#,
        ] {
            guard case .string(let content) = try JSONNode.parse(Array(document.utf8)) else { return #expect(Bool(false), "no string") }
            for other in [content, [0xEF, 0xBF, 0xBD], [], [0xED, 0xA0, 0xBE], [0x3F], Array("\u{1F83E}".utf8)] {
                #expect(try !equals(document, .string(other)), "\(document)")
            }
        }
    }

    @Test func comparesLiterals() throws {
        #expect(try equals(" true ", .bool(true)) && equals("false", .bool(false)) && equals("null", .null))
        #expect(
            try !equals("true", .bool(false)) && !equals("false", .bool(true)) && !equals("false", .null) && !equals("null", .bool(false)))
    }

    @Test func neverHoldsKindsForEqual() throws {
        let one = try #require(JSONDecimal(Array("1".utf8)))
        let zero = try #require(JSONDecimal(Array("0".utf8)))
        for document in [#""1""#, "true", "[1]", #"{"1":1}"#, "null"] { #expect(try !equals(document, .number(one)), "\(document)") }
        for document in [#""""#, "false", "[]", "{}", "null"] { #expect(try !equals(document, .number(zero)), "\(document)") }
        for document in ["1", "true", "[\"1\"]", "{}", "null"] { #expect(try !equals(document, .string(Array("1".utf8))), "\(document)") }
        for document in [#""null""#, "0", "false", "[]", "{}"] { #expect(try !equals(document, .null), "\(document)") }
        for document in [#""true""#, "1", "[true]"] { #expect(try !equals(document, .bool(true)), "\(document)") }
    }

    @Test func comparesTheTextOfScalars() throws {
        #expect(try textEquals("7", "7") && textEquals(#""7""#, "7") && textEquals("true", "true") && textEquals("null", "null"))
        #expect(try textEquals("1.50", "1.50") && textEquals("false", "false") && textEquals("9223372036854775808", "9223372036854775808"))
        #expect(try !textEquals("1.50", "1.5") && !textEquals("7", "07") && !textEquals("7", "") && !textEquals("true", "tru"))
        #expect(try !textEquals("[]", "[]") && !textEquals("{}", "{}"))
    }

    @Test func comparesNumbersInOrder() throws {
        func isAtLeast(_ document: String, _ decimal: String) throws -> Bool {
            try withFound(document) { $0?.isAtLeast(Array(decimal.utf8)) == true }
        }
        #expect(try isAtLeast("7", "7") && isAtLeast("8", "7") && isAtLeast("7.0", "7") && isAtLeast("-1", "-2") && isAtLeast("10", "9"))
        #expect(try !isAtLeast("6", "7") && !isAtLeast("6.999999999999999999999", "7") && !isAtLeast("-2", "-1"))
        #expect(try isAtLeast("9007199254740993", "9007199254740993") && !isAtLeast("9007199254740992", "9007199254740993"))
        for document in [#""7""#, "true", "null", "[7]", "{}"] { #expect(try !isAtLeast(document, "0"), "\(document)") }
        for decimal in ["", "x", "07", "7 ", " 7", "+7", "\"7\"", "1e", "7x"] { #expect(try !isAtLeast("99", decimal), "\(decimal)") }
    }

    @Test func knowsEmptyObjects() throws {
        for document in ["{}", " { } ", "{\n\t\r }"] { #expect(try withFound(document) { $0?.isEmptyObject == true }, "\(document)") }
        for document in ["[]", #"{"a":1}"#, #"{"":{}}"#, #""{}""#, "0", "null"] {
            #expect(try withFound(document) { $0?.isEmptyObject == false }, "\(document)")
        }
    }
}
