import Testing
import WebSocket

struct URLTests {
    private func parse(_ text: String) throws -> URL { try URL(parsing: bytes(text)) }

    @Test(
        arguments: [
            ("ws://example.com", false, "example.com", 80, "/", "example.com"),
            ("wss://example.com", true, "example.com", 443, "/", "example.com"),
            ("WSS://EXAMPLE.com/Path", true, "example.com", 443, "/Path", "example.com"),
            ("ws://h:8080/a/b?c=d&e=%23", false, "h", 8080, "/a/b?c=d&e=%23", "h:8080"),
            ("ws://h:80/", false, "h", 80, "/", "h"),
            ("wss://h:443/", true, "h", 443, "/", "h"),
            ("ws://h:443/", false, "h", 443, "/", "h:443"),
            ("wss://h:80", true, "h", 80, "/", "h:80"),
            ("ws://h:/x", false, "h", 80, "/x", "h"),
            ("ws://h?q", false, "h", 80, "/?q", "h"),
            ("ws://h:1?q", false, "h", 1, "/?q", "h:1"),
            ("ws://h/a?b?c/d:e@f", false, "h", 80, "/a?b?c/d:e@f", "h"),
            ("ws://127.0.0.1:65535/", false, "127.0.0.1", 65535, "/", "127.0.0.1:65535"),
            ("ws://h:0080/", false, "h", 80, "/", "h"),
            ("ws://my_host-1.example.", false, "my_host-1.example.", 80, "/", "my_host-1.example."),
        ] as [(String, Bool, String, UInt16, String, String)])
    func readsURLs(text: String, isSecure: Bool, host: String, port: UInt16, resource: String, hostField: String) throws {
        let url = try parse(text)
        #expect(url.isSecure == isSecure)
        #expect(url.host == bytes(host))
        #expect(!url.isIPv6)
        #expect(url.port == port)
        #expect(url.resource == bytes(resource))
        #expect(url.hostField == bytes(hostField))
    }

    @Test(
        arguments: [
            ("ws://[::1]", "::1", 80, "[::1]"), ("ws://[::1]:8080/x", "::1", 8080, "[::1]:8080"),
            ("wss://[2001:DB8::A]:", "2001:DB8::A", 443, "[2001:DB8::A]"),
            ("ws://[::ffff:1.2.3.4]", "::ffff:1.2.3.4", 80, "[::ffff:1.2.3.4]"),
        ] as [(String, String, UInt16, String)])
    func readsIPv6Literals(text: String, host: String, port: UInt16, hostField: String) throws {
        let url = try parse(text)
        #expect(url.isIPv6)
        #expect(url.host == bytes(host))
        #expect(url.port == port)
        #expect(url.hostField == bytes(hostField))
    }

    @Test(arguments: [
        ("ws://user:password@h:81/p", "user:password"), ("ws://user@h:81/p", "user:"), ("ws://:password@h:81/p", ":password"),
        ("ws://:@h:81/p", ":"), ("ws://user%40work:a%3Ab%20c@h:81/p", "user@work:a:b c"), ("ws://u:a:b@h:81/p", "u:a:b"),
        ("ws://gr%C3%BCn:-._~!$&'()*+,;=@h:81/p", "gr\u{FC}n:-._~!$&'()*+,;="), ("ws://%75ser:%50w@h:81/p", "user:Pw"),
    ])
    func readsCredentials(text: String, credentials: String) throws {
        let url = try parse(text)
        #expect(url.credentials == bytes(credentials))
        #expect(url.hostField == bytes("h:81"))
        #expect(url.resource == bytes("/p"))
    }

    @Test func looksForCredentialsInTheAuthorityOnly() throws {
        for text in ["ws://h/a:b@c", "ws://h?a:b@c", "ws://h"] { #expect(try parse(text).credentials == nil) }
    }

    @Test(arguments: [
        ("ws://h", "ws://H:80/x?y", true), ("wss://h", "wss://h:443", true), ("ws://[::1]", "ws://[::1]/x", true),
        ("ws://h", "wss://h", false),
        ("ws://h:443", "wss://h:443", false), ("ws://h", "ws://h:81", false), ("ws://h", "ws://h.", false), ("ws://h", "ws://i", false),
    ])
    func comparesOrigins(a: String, b: String, isSame: Bool) throws {
        #expect(try parse(a).hasSameOrigin(as: try parse(b)) == isSame)
        #expect(try parse(b).hasSameOrigin(as: try parse(a)) == isSame)
    }

    @Test(
        arguments: [
            ("", .schemeUnknown), ("http://h", .schemeUnknown), ("ws:/h", .schemeUnknown), ("ws//h", .schemeUnknown),
            ("wsx://h", .schemeUnknown),
            (" ws://h", .schemeUnknown), ("ws", .schemeUnknown),
            ("ws://", .hostMissing), ("ws:///path", .hostMissing), ("ws://:80/", .hostMissing), ("ws://?q", .hostMissing),
            ("ws://#f", .hostMissing),
            ("ws://@h", .userInfo), ("ws://a b@h", .userInfo), ("ws://a%4@h", .userInfo), ("ws://a%@h", .userInfo),
            ("ws://a%zz@h", .userInfo),
            ("ws://a@b@h", .userInfo), ("ws://a%3Ab:c@h", .userInfo), ("ws://a%00:b@h", .userInfo), ("ws://a:b%0d%0a@h", .userInfo),
            ("ws://gr\u{FC}n@h", .userInfo), ("ws://a:b\r\n@h", .userInfo), ("ws://a[b@h", .userInfo), ("ws://user@", .hostMissing),
            ("ws://user@/", .hostMissing), ("ws://user@:80", .hostMissing), ("ws://user:pw@h:x", .port(least: 1)),
            ("ws://a b/", .hostCharacter(32)), ("ws://a%41/", .hostCharacter(37)), ("ws://h\u{0}/", .hostCharacter(0)),
            ("ws://h\r\n/", .hostCharacter(13)),
            ("ws://m\u{FC}nchen/", .hostCharacter(0xC3)), ("ws://h\\x/", .hostCharacter(92)), ("ws://a]/", .hostCharacter(93)),
            ("ws://h:0/", .port(least: 1)), ("ws://h:65536/", .port(least: 1)), ("ws://h:-1/", .port(least: 1)),
            ("ws://h:8o/", .port(least: 1)), ("ws://h:80:80/", .port(least: 1)),
            ("ws://h: 80/", .port(least: 1)),
            ("ws://h:99999999999999999999999/", .port(least: 1)), ("ws://::1/", .hostMissing), ("ws://a::1/", .port(least: 1)),
            ("ws://[::1/", .addressLiteral), ("ws://[]/", .addressLiteral), ("ws://[h]/", .addressLiteral),
            ("ws://[::1]x/", .addressLiteral),
            ("ws://[::g]/", .addressLiteral), ("ws://[::1", .addressLiteral), ("ws://[::1]80/", .addressLiteral),
            ("ws://[1.2.3.4]", .addressLiteral),
            ("ws://[::1]:x", .port(least: 1)), ("ws://[::1%a%b]", .addressLiteral),
            ("ws://h/#f", .fragment), ("ws://h#", .fragment), ("ws://h/a?b#c", .fragment),
            ("ws://h/a b", .pathCharacter(32)), ("ws://h/\u{7F}", .pathCharacter(127)), ("ws://h/a\r\nX: y", .pathCharacter(13)),
            ("ws://h/\u{E9}", .pathCharacter(0xC3)), ("ws://h?\n", .pathCharacter(10)),
        ] as [(String, URLError)])
    func refusesMalformedURLs(text: String, error: URLError) {
        #expect(throws: error) { try parse(text) }
    }

    @Test func limitsTheSize() throws {
        let start = "ws://h/"
        let room = URL.sizeMax - start.utf8.count
        #expect(try parse(start + String(repeating: "p", count: room)).resource.count == room + 1)
        #expect(throws: URLError.tooLong) { try parse(start + String(repeating: "p", count: room + 1)) }
        #expect(try parse("ws://" + String(repeating: "h", count: 253)).host.count == 253)
        #expect(throws: URLError.tooLong) { try parse("ws://" + String(repeating: "h", count: 254)) }
    }

    @Test func everyErrorIsASentenceOfItsOwn() {
        let errors: [URLError] = [
            .schemeUnknown, .hostMissing, .hostCharacter(1), .addressLiteral, .port(least: 1), .port(least: 0), .userInfo, .fragment,
            .pathCharacter(1), .tooLong,
        ]
        #expect(Set(errors.map { $0.sentence }).count == errors.count)
    }
}
