import Testing
import WebSocket

struct URLReferenceTests {
    private func resolve(_ reference: String, from base: String = "ws://a/b/c/d;p?q") throws -> String {
        let url = try URL(parsing: bytes(base)).resolve(bytes(reference))
        return (url.isSecure ? "wss" : "ws") + "://" + String(decoding: url.hostField + url.resource, as: UTF8.self)
    }

    /// The examples of RFC 3986 section 5.4 that do not name a scheme, fragments left out.
    @Test(arguments: [
        ("g", "ws://a/b/c/g"), ("./g", "ws://a/b/c/g"), ("g/", "ws://a/b/c/g/"), ("/g", "ws://a/g"), ("//g", "ws://g/"),
        ("?y", "ws://a/b/c/d;p?y"), ("g?y", "ws://a/b/c/g?y"), ("#s", "ws://a/b/c/d;p?q"), ("g#s", "ws://a/b/c/g"),
        ("g?y#s", "ws://a/b/c/g?y"), (";x", "ws://a/b/c/;x"), ("g;x", "ws://a/b/c/g;x"), ("g;x?y#s", "ws://a/b/c/g;x?y"),
        ("", "ws://a/b/c/d;p?q"), (".", "ws://a/b/c/"), ("./", "ws://a/b/c/"), ("..", "ws://a/b/"), ("../", "ws://a/b/"),
        ("../g", "ws://a/b/g"), ("../..", "ws://a/"), ("../../", "ws://a/"), ("../../g", "ws://a/g"),
        ("../../../g", "ws://a/g"), ("../../../../g", "ws://a/g"), ("/./g", "ws://a/g"), ("/../g", "ws://a/g"), ("g.", "ws://a/b/c/g."),
        (".g", "ws://a/b/c/.g"), ("g..", "ws://a/b/c/g.."), ("..g", "ws://a/b/c/..g"), ("./../g", "ws://a/b/g"),
        ("./g/.", "ws://a/b/c/g/"), ("g/./h", "ws://a/b/c/g/h"), ("g/../h", "ws://a/b/c/h"), ("g;x=1/./y", "ws://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "ws://a/b/c/y"), ("g?y/./x", "ws://a/b/c/g?y/./x"), ("g?y/../x", "ws://a/b/c/g?y/../x"),
    ])
    func resolvesAsTheRFCShows(reference: String, expected: String) throws {
        #expect(try resolve(reference) == expected)
    }

    @Test(arguments: [
        ("wss://h/x", "wss://h/x"), ("https://h/x", "wss://h/x"), ("HTTP://H:8080", "ws://h:8080/"),
        ("ws://h/a/../b?c/../d#e", "ws://h/b?c/../d"),
        ("https://h:443", "wss://h/"), ("http://[::1]:9/", "ws://[::1]:9/"), ("/a//../b", "ws://a/a/b"), ("/..//..//x", "ws://a//x"),
        ("/a/b/.", "ws://a/a/b/"), ("/a/b/..", "ws://a/a/"), ("/..", "ws://a/"), ("/a:b", "ws://a/a:b"), ("./a:b", "ws://a/b/c/a:b"),
        ("1:x", "ws://a/b/c/1:x"),
    ])
    func resolvesTheRest(reference: String, expected: String) throws {
        #expect(try resolve(reference) == expected)
    }

    @Test func keepsTheSchemeOfItsBaseWhereNoneIsGiven() throws {
        #expect(try resolve("//other/x", from: "wss://h/") == "wss://other/x")
        #expect(try resolve("x", from: "wss://h") == "wss://h/x")
        #expect(try resolve("?x", from: "wss://h") == "wss://h/?x")
    }

    @Test func takesNoCredentialsAlong() throws {
        let url = try URL(parsing: bytes("ws://user:password@h/"))
        #expect(try url.resolve(bytes("/x")).credentials == nil)
        #expect(try url.resolve([]).credentials == nil)
    }

    @Test(
        arguments: [
            ("ftp://h/", .schemeUnknown), ("http:g", .schemeUnknown), ("mailto:a@b", .schemeUnknown), ("ws://", .hostMissing),
            ("//", .hostMissing), ("https://user:pw@h/", .foreignCredentials), ("//user@h/", .foreignCredentials),
            ("//h:x", .port(least: 1)),
            ("//h\u{E9}", .hostCharacter(0xC3)),
            ("/a b", .pathCharacter(32)), ("a\u{7F}", .pathCharacter(127)),
            ("?a\u{0}", .pathCharacter(0)), ("/\u{E9}", .pathCharacter(0xC3)),
        ] as [(String, URLError)])
    func refusesWhatLeadsNowhere(reference: String, error: URLError) {
        #expect(throws: error) { try resolve(reference) }
    }

    @Test func limitsTheSize() throws {
        let name = String(repeating: "x", count: URL.sizeMax - 1)
        #expect(try resolve("/" + name).utf8.count == URL.sizeMax + 6)
        #expect(throws: URLError.tooLong) { try resolve("/" + name + "x") }
        #expect(throws: URLError.tooLong) { try resolve(name, from: "ws://a/b/") }
    }

    @Test(arguments: 0..<300) func survivesAnyReference(seed: UInt64) {
        var random = TestRandom(seed: seed)
        let parts = ["/", ".", "..", "//", "?", "#", ":", "ws:", "https://", "@", "h", "[", "]", "%", "\u{E9}", " "]
        let reference = (0..<Int.random(in: 0...12, using: &random)).compactMap { _ in parts.randomElement(using: &random) }.joined()
        if let resolved = try? resolve(reference) {
            #expect(resolved.hasPrefix("ws://") || resolved.hasPrefix("wss://"))
            #expect(!resolved.hasSuffix("/..") && !resolved.hasSuffix("/.") || resolved.contains("?"))
        }
    }
}
