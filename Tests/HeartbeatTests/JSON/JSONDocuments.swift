/// Texts that are JSON documents and texts that are none, rule by rule of RFC 8259, each with what it is about.
struct JSONDocuments {
    typealias Case = (about: String, text: [UInt8])

    static let accepted: [Case] =
        texts([
            ("literals", ["null", "true", "false"]),
            ("an integer", ["0", "-0", "7", "-7", "1234567890", "123456789012345678901234567890"]),
            ("a fraction", ["0.0", "0.10", "-0.5", "12.3456789012345678901234567890"]),
            ("an exponent", ["0e0", "1e5", "1E5", "1e+5", "1e-5", "1E+05", "1e-00", "0e+1", "1.5e300", "-1.5E-7"]),
            ("a number beyond Double", ["1e400", "-1e400", "1e-400", "1e99999999999999999999", "1e-99999999999999999999"]),
            ("an empty string", [#""""#]),
            ("a plain string", [#""a""#, #""seven b""#, #""exactly eight""#, #""'""#, #""/""#, "\"\u{7F}\""]),
            (
                "every short escape",
                [
                    #""\"""#, #""\\""#, #""\/""#, #""\b""#, #""\f""#, #""\n""#, #""\r""#, #""\t""#, #""\\\"\/\b\f\n\r\t""#,
                ]
            ),
            ("an escape at the end", [#""a\\""#, #""\\\\""#, #""a\\\"""#, #""1234567\\""#, #""12345678\"""#]),
            (
                "a Unicode escape",
                [
                    #""\u0041""#, #""\u0000""#, #""\u001f""#, #""\u00e9""#, #""\uABCD""#, #""\uabcd""#, #""\uFFFF""#, #""\u2028""#,
                ]
            ),
            ("a surrogate pair", [#""\ud83e\udec0""#, #""\uD83E\uDEC0""#, #""a\uD834\uDD1Eb""#]),
            (
                "a lone surrogate",
                [#""\ud83e""#, #""\udec0""#, #""\udec0\ud83e""#, #""\ud83e\ud83e\udec0""#, #""\ud83ex""#, #""\ud83e\n""#]
            ),
            ("an escape that looks like one of Unicode", [#""\\u""#, #""\\uD83E""#, #""\\u00zz""#]),
            (
                "text beyond ASCII",
                [
                    "\"é\"", "\"日本語\"", "\"🫀\"", "\"\u{2028}\u{2029}\"", "\"\u{FEFF}\"", "\"\u{10FFFF}\"", "{\"ключ\":\"значение\"}",
                ]
            ),
            ("an array", ["[]", "[1]", "[1,2]", "[[]]", "[[],[[]]]", "[null,true,false,0,\"\",{},[]]", "[1,[2,[3,[4]]]]"]),
            (
                "an object",
                [
                    "{}", #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{"":0}"#, #"{"a":{}}"#, #"{"a":{"b":{"c":[]}}}"#, #"{"a\n\u0000":null}"#,
                ]
            ),
            ("a duplicate", [#"{"a":1,"a":2}"#, #"{"a":1,"a":1}"#, #"{"a":1,"\u0061":2}"#]),
            (
                "whitespace inside",
                ["[ ]", "{ }", "[ 1 , 2 ]", "{ \"a\" : 1 , \"b\" : [ ] }", "[\t1\n,\r\n2\r]", "[\n\n\n\n\n\n\n\n\n\n1]"]
            ),
            (
                "the deepest nesting",
                [
                    nested("[", "]", 64), nested("{\"a\":", "}", 64, inside: "1"), nested("[{\"a\":", "}]", 32, inside: "0"),
                ]
            ),
            ("much beside one another", ["[" + Array(repeating: "[[]]", count: 200).joined(separator: ",") + "]"]),
        ])
        + [
            ("bytes that are no UTF-8, in a string", [0x22, 0xFF, 0x80, 0xC0, 0xAF, 0x22]),
            ("a surrogate in UTF-8, in a string", [0x22, 0xED, 0xA0, 0x80, 0x22]),
            ("a sequence cut off by the quote", [0x22, 0xE6, 0x97, 0x22]),
            ("bytes that are no UTF-8, in a name", [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x30, 0x7D]),
            ("a byte whose low bits are a quote's", [0x22, 0xA2, 0xDC, 0x80, 0x9F, 0xA2, 0xDC, 0x80, 0x9F, 0x22]),
        ]

    static let rejected: [Case] =
        texts([
            ("nothing", ["", " ", "\n\t\r "]),
            ("a byte order mark", ["\u{FEFF}", "\u{FEFF}{}", "\u{FEFF}1", "{}\u{FEFF}", "[\u{FEFF}]"]),
            (
                "a literal that is none",
                [
                    "nul", "nulll", "Null", "NULL", "tru", "truee", "True", "fals", "falsy", "none", "undefined", "t", "f", "n",
                ]
            ),
            ("a number that is none", ["NaN", "nan", "Infinity", "-Infinity", "inf", "-NaN", "0x10", "0xA", "1_000", "1,000", "½", "１"]),
            ("a leading zero", ["00", "01", "-01", "007", "00.1", "[01]", "0e", "-00"]),
            ("a sign out of place", ["+1", "-", "--1", "-+1", "+", "[-]", "- 1", "-a", "1-", "1+1"]),
            ("a point out of place", [".", ".5", "-.5", "1.", "-1.", "0.", "1..2", "1.2.3", "1.e5", "0.e1", "[1.]", "1 .5"]),
            (
                "an exponent without digits",
                [
                    "1e", "1E", "1e+", "1e-", "0e", "1.5e", "[1e]", "1e 5", "1ee5", "1e5.5", "1e+-5", "1e0x1", "e5",
                ]
            ),
            ("a string without quotes", ["a", "abc", "[a]", "{\"a\":b}", "\u{E9}"]),
            ("a string without its end", ["\"", "\"a", #""\""#, #""a\\\""#, "\"12345678", "[\"a]", "{\"a", "{\"a\":\"b}"]),
            ("other quotes", ["'a'", "{'a':1}", "`a`", "“a”", "[\"a']"]),
            (
                "an escape that is none",
                [
                    #""\a""#, #""\v""#, #""\x41""#, #""\0""#, #""\'""#, #""\ ""#, #""\U0041""#, #""\N""#, "\"\\\n\"", "\"\\é\"",
                ]
            ),
            (
                "a short Unicode escape",
                [
                    #""\u""#, #""\u0""#, #""\u00""#, #""\u004""#, #""\u004g""#, #""\ug041""#, #""\u-041""#, #""\u+041""#, #""\u 041""#,
                    #""\u{41}""#,
                ]
            ),
            ("a surrogate with a short other half", [#""\ud83e\u""#, #""\ud83e\ude""#, #""\ud83e\udexx""#, #""\ud83e\""#]),
            ("an escape outside of strings", [#"\u0031"#, #"[\n]"#, #"{\"a\":1}"#]),
            (
                "a comma out of place",
                [
                    "[,]", "[1,]", "[,1]", "[1,,2]", "{,}", #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":1,,"b":2}"#, ",", "1,", ",1", "[1,\n]",
                ]
            ),
            ("a missing comma", ["[1 2]", "[1\"a\"]", "[[][]]", #"{"a":1 "b":2}"#, #"{"a":1"b":2}"#, "[1;2]", "[true false]"]),
            (
                "a colon out of place",
                [
                    #"{"a"}"#, #"{"a":}"#, #"{"a" 1}"#, #"{"a",1}"#, #"{"a"=1}"#, #"{"a"::1}"#, #"{:1}"#, "[1:2]", ":", #"{"a":1:2}"#,
                    #""a":1"#,
                ]
            ),
            ("a name that is no string", ["{1:1}", "{a:1}", "{null:1}", "{[]:1}", "{{}:1}", "{\"a\":1,2}", "{\"a\":1,b:2}", "{1}"]),
            (
                "brackets that do not fit",
                [
                    "[", "]", "{", "}", "[}", "{]", "[1}", #"{"a":1]"#, "[[]", "[]]", "[[]}", "{}}", "[{]}", #"{"a":[}]"#, "(1)",
                ]
            ),
            ("more than one document", ["1 2", "{}{}", "[][]", "{} {}", "null null", "\"a\"\"b\"", "1\n2", "[] 1", "{}\n{}\n"]),
            ("something behind the end", ["{}x", "[]#", "1;", "\"a\"b", "true1", "nullx", "{},", "[]\"", "{}/**/", "0\\"]),
            ("a comment", ["/**/1", "1//", "[1/*a*/]", "#\n1", "// a\n{}", "{/**/}"]),
            ("other whitespace", ["\u{0B}1", "1\u{0C}", "[\u{A0}]", "[\u{2028}]", "\u{3000}1", "[\u{200B}1]", "{\u{1C}}", "[\u{8}]"]),
            ("NUL", ["\0", "1\0", "\01", "[\0]", "{}\0", "\"\0\"", "\"a\0b\"", "{\"a\0\":1}", "nul\0", "1\0\0", "[1,\0]"]),
            (
                "deeper nesting",
                [nested("[", "]", 65), nested("{\"a\":", "}", 65, inside: "1"), nested("[{\"a\":", "}]", 32, inside: "[]")]
            ),
            (
                "endless nesting",
                [
                    String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000), nested("[", "]", 100_000),
                ]
            ),
        ])
        + (UInt8(0)..<0x20).map { ("a control character in a string", [0x22, 0x61, $0, 0x22]) }
        + (UInt8(0)..<0x20).map { ("a control character in a long string", Array("\"1234567890".utf8) + [$0] + Array("1234567890\"".utf8)) }
        + [
            ("a byte that is no UTF-8, alone", [0xFF]), ("a byte that is no UTF-8, in an array", [0x5B, 0xFF, 0x5D]),
            (
                "a byte that is no UTF-8, behind",
                [
                    0x31, 0x80,
                ]
            ), ("UTF-16", [0x5B, 0x00, 0x5D, 0x00]),
            (
                "UTF-16 with its mark",
                [
                    0xFF, 0xFE, 0x31, 0x00,
                ]
            ),
            ("UTF-32", [0x31, 0, 0, 0]),
        ]

    static func nested(_ open: String, _ close: String, _ depth: Int, inside: String = "") -> String {
        String(repeating: open, count: depth) + inside + String(repeating: close, count: depth)
    }

    private static func texts(_ groups: [(String, [String])]) -> [Case] {
        groups.flatMap { about, texts in texts.map { (about: about, text: Array($0.utf8)) } }
    }
}
