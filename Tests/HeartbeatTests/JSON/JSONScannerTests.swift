import Heartbeat
import Testing

struct JSONScannerTests {
    @Test func findsValuesOfEveryKindAsTheyWereWritten() throws {
        let scan = try Scan(
            #" {"a": null, "b" :true,"c":-1.50e+03, "d":"x\u0020\"y\"", "e": [1, [2] ] , "f":{ "g" : { } },"h":false} "#,
            "/a", "/b", "/c", "/d", "/e", "/f", "/h", "/f/g", "/e/0", "/e/1", "/e/1/0")
        #expect(scan.isDocument)
        #expect(
            scan.values == [
                "null", "true", "-1.50e+03", #""x\u0020\"y\"""#, "[1, [2] ]", #"{ "g" : { } }"#, "false", "{ }", "1", "[2]", "2",
            ])
    }

    @Test func findsTheDocumentItself() throws {
        #expect(try Scan("\n[0]\r\n", "").values == ["[0]"])
        #expect(try Scan(" 17 ", "", "/0").values == ["17", nil])
        #expect(try Scan("{}", "", "/0", "/").values == ["{}", nil, nil])
    }

    @Test func findsMembersOnlyWhereThePathLeads() throws {
        let text = #"{"x":{"a":1,"y":{"a":2}},"y":[{"a":3},["a",{"a":4}]],"a":{"a":{"b":5}}}"#
        #expect(
            try Scan(text, "/a/a/b", "/x/a", "/y/0/a", "/y/1/1/a", "/a/b", "/x/y/b", "/y/a").values == ["5", "1", "3", "4", nil, nil, nil])
    }

    @Test func comparesNamesAfterUnescapingAndCaseSensitively() throws {
        let text =
            #"{"\u0061b":1,"A":2,"sl\/ash":3,"ti~lde":4,"\ud83e\udec0":5,"":6,"q\"\\":7,"é":8,"\u0000":9,"!":10,"\ud83e":11,"abc":12}"#
        let pointers = [
            "/ab", "/a", "/A", "/sl~1ash", "/ti~0lde", "/🫀", "/", "/q\"\\", "/\u{E9}", "/\0", "/!", "/\u{FFFD}", "/abcd", "/abc",
        ]
        let expected: [Scan.Value?] = ["1", nil, "2", "3", "4", "5", "6", "7", "8", "9", nil, nil, nil, "12"]
        #expect(try Scan(Array(text.utf8), pointers).values == expected)
    }

    @Test func takesTheLastOfDuplicates() throws {
        #expect(try Scan(#"{"a":1,"b":2,"a":3}"#, "/a").values == ["3"])
        #expect(try Scan(#"{"a":1,"\u0061":"x"}"#, "/a").values == [#""x""#])
        #expect(try Scan(#"{"a":{"b":1,"c":2},"a":{"c":3}}"#, "/a/b", "/a/c").values == [nil, "3"])
        #expect(try Scan(#"{"a":{"b":{"c":1}},"a":{"b":2}}"#, "/a/b/c", "/a/b").values == [nil, "2"])
        #expect(try Scan(#"{"a":{"b":1},"a":null}"#, "/a/b", "/a").values == [nil, "null"])
        #expect(try Scan(#"{"a":null,"a":{"b":1}}"#, "/a/b").values == ["1"])
        #expect(try Scan(#"{"a":[1,2],"a":[3]}"#, "/a/0", "/a/1").values == ["3", nil])
        #expect(try Scan(#"{"a":"{\"b\":1}","a":7}"#, "/a/!/b").values == [nil])
        #expect(try Scan(#"{"a":"{\"b\":1}","a":"{\"b\":2,\"b\":3}"}"#, "/a/!/b").values == ["3"])
        #expect(try Scan(#"{"x":{"a":"[1]"},"x":{}}"#, "/x/a/!/0").values == [nil])
    }

    @Test func takesNumbersInPathsAsElementsOfArraysAndNamesInObjects() throws {
        let pointers = ["/0", "/1", "/01", "/-", "/+1", "/1e0", "/99999999999999999999", "/ 1", "/2"]
        #expect(try Scan(Array(#"["a","b"]"#.utf8), pointers).values == [#""a""#, #""b""#, nil, nil, nil, nil, nil, nil, nil])
        let object = #"{"0":0,"1":1,"01":2,"-":3,"+1":4,"1e0":5,"99999999999999999999":6," 1":7}"#
        #expect(try Scan(Array(object.utf8), pointers).values == ["0", "1", "2", "3", "4", "5", "6", "7", nil])
    }

    @Test func parsesDocumentsInStrings() throws {
        #expect(try Scan(#"{"data":"{\"activity_timeout\":120}"}"#, "/data/!/activity_timeout").values == ["120"])
        #expect(try Scan(#"{"data":"[1,[2,3]]"}"#, "/data/!/1/0", "/data/!", "/data").values == ["2", "[1,[2,3]]", #""[1,[2,3]]""#])
        #expect(try Scan(#""\u007b\"a\": \"\\u0062\\n\"}""#, "/!/a").values == [#""\u0062\n""#])
        #expect(try Scan(#"["7"," true ","",7]"#, "/0/!", "/1/!", "/2/!", "/3/!").values == ["7", "true", nil, nil])
    }

    @Test func parsesDocumentsInStringsInStrings() throws {
        var text = "[7]"
        var pointer = "/0"
        for _ in 0..<4 {
            text = "{\"s\":\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\"}"
            pointer = "/s/!" + pointer
            #expect(try Scan(text, pointer).values == ["7"])
        }
    }

    @Test func parsesLongDocumentsInStringsBetweenShortOnes() throws {
        let scanner = JSONScanner()
        for count in [1, 100_000, 10, 70_000, 100_000, 2000] {
            let inner = #"{\"fill\":\"\#(String(repeating: "\\\\n", count: count))\",\"last\":[\#(count)]}"#
            #expect(
                try Scan(Array(#"{"s":"\#(inner)"}"#.utf8), ["/s/!/last/0"], with: scanner).values == [
                    Scan.Value(kind: .number, text: "\(count)")
                ])
        }
    }

    @Test func holdsInvalidDocumentsInStringsForAbsentOnly() throws {
        for inner in [#"{\"a\":1"#, #"{\"a\":1}x"#, #"{a:1}"#, "x", #"{\"a\":1,\"b\":}"#, String(repeating: "[", count: 65)] {
            let scan = try Scan(#"{"s":"\#(inner)","t":1}"#, "/s/!/a", "/s/!", "/t", "/s")
            #expect(scan.isDocument)
            #expect(scan.values == [nil, nil, "1", Scan.Value(kind: .string, text: "\"\(inner)\"")])
        }
    }

    @Test func findsNothingInWhatIsNoDocument() throws {
        for text in [#"{"a":1"#, #"{"a":1}}"#, #"{"a":1} {"a":2}"#, #"{"a":1,"b":tru}"#, ""] {
            let scan = try Scan(text, "/a", "")
            #expect(!scan.isDocument)
            #expect(scan.values == [nil, nil])
        }
    }

    @Test func forgetsTheDocumentBefore() throws {
        let scanner = JSONScanner()
        #expect(try Scan(Array(#"{"a":{"b":1},"s":"[1]"}"#.utf8), ["/a/b", "/s/!/0"], with: scanner).values == ["1", "1"])
        #expect(try Scan(Array(#"{"a":{},"s":"[]"}"#.utf8), ["/a/b", "/s/!/0"], with: scanner).values == [nil, nil])
        #expect(try Scan(Array("[".utf8), ["/a/b"], with: scanner).values == [nil])
        #expect(scanner.found(0) == nil && scanner.found(-1) == nil && scanner.found(7) == nil)
    }

    @Test func givesViewsIntoTheDocument() throws {
        var paths = JSONPaths()
        let slot = try paths.slot(for: Array("/a".utf8))
        let scanner = JSONScanner()
        Array(#"{"a":[1]}"#.utf8).withUnsafeBytes { bytes in
            #expect(scanner.scan(bytes, for: paths))
            #expect(scanner.found(slot)?.text.baseAddress == bytes.baseAddress.map { $0 + 5 })
            #expect(scanner.found(slot)?.text.count == 3)
        }
    }
}
