import Testing
import WebSocket

@testable import Heartwire

struct ProxyTests {
    private func parsed(_ text: String) throws -> Proxy { try Proxy(parsing: bytes(text)) }

    private func error(_ text: [UInt8]) -> ProxySettingError? {
        do throws(ProxySettingError) {
            _ = try Proxy(parsing: text)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        arguments: [
            ("http://proxy", .http, "proxy", 1080), ("http://proxy:3128/", .http, "proxy", 3128), ("HTTP://PROXY:1", .http, "proxy", 1),
            ("socks5://10.0.0.1:9050", .socks5, "10.0.0.1", 9050), ("socks5h://p.example:65535", .socks5, "p.example", 65535),
            ("http://[::1]:8080", .http, "::1", 8080), ("socks5://[fe80::1%eth0]", .socks5, "fe80::1%eth0", 1080),
            ("http://proxy:", .http, "proxy", 1080),
        ] as [(String, Proxy.Kind, String, UInt16)])
    func readsURLs(text: String, kind: Proxy.Kind, host: String, port: UInt16) throws {
        let proxy = try parsed(text)
        #expect(proxy.kind == kind)
        #expect(proxy.host == bytes(host))
        #expect(proxy.port == port)
        #expect(proxy.credentials == nil)
    }

    @Test(arguments: [
        ("http://user:secret@proxy", "user", "secret"), ("http://user@proxy:1", "user", ""), ("http://:secret@proxy", "", "secret"),
        ("socks5://a%40b:c%3A%2f%25@proxy", "a@b", "c:/%"), ("socks5://a%3Ab:c:d@proxy", "a:b", "c:d"), ("http://u:%C3%A9@proxy", "u", "é"),
    ])
    func readsCredentials(text: String, user: String, password: String) throws {
        let proxy = try parsed(text)
        #expect(proxy.credentials == Proxy.Credentials(user: bytes(user), password: bytes(password)))
        #expect(proxy.host == bytes("proxy"))
    }

    @Test(
        arguments: [
            ("proxy:3128", .scheme), ("ftp://proxy", .scheme), ("socks4://proxy", .scheme), ("socks://proxy", .scheme),
            (" http://proxy", .scheme),
            ("Env", .scheme), ("https://user:secret@proxy", .secureProxy), ("http://", .host), ("http:///", .host), ("http://:80", .host),
            ("http://a b", .host), ("http://pro\r\nxy", .host), ("http://pro\u{0}xy", .host), ("http://[::1", .host), ("http://[x]", .host),
            ("http://prüxy", .host), ("http://u:p@", .host), ("http://proxy:0", .port), ("http://proxy:65536", .port),
            ("http://proxy:a", .port),
            ("http://proxy:80:80", .port), ("http://u:p/w@proxy", .path), ("http://proxy/path", .path), ("http://proxy//", .path),
            ("http://proxy?", .path), ("http://proxy/#", .path), ("http://@proxy", .credentials), ("http://u:p%0d%0aX@proxy", .credentials),
            ("http://u%00@proxy", .credentials), ("http://u%0@proxy", .credentials), ("http://u%zz@proxy", .credentials),
            ("http://u:\r\n@proxy", .credentials), ("http://a%3Ab:c@proxy", .credentials), ("http://a@b@proxy", .credentials),
            ("socks5://:p@proxy", .credentialsSize),
        ] as [(String, ProxySettingError)])
    func refusesAnythingElse(text: String, expected: ProxySettingError) {
        #expect(error(bytes(text)) == expected)
    }

    @Test func refusesWhatSOCKS5CannotCarry() throws {
        let longest = String(repeating: "x", count: 255)
        #expect(try parsed("socks5://\(longest):\(longest)@p").credentials?.password.count == 255)
        #expect(error(bytes("socks5://\(longest)x:p@p")) == .credentialsSize)
        #expect(error(bytes("socks5://u:\(longest)x@p")) == .credentialsSize)
        #expect(try parsed("http://\(longest)x:p@p").credentials?.user.count == 256)
    }

    @Test func survivesAnyBytes() {
        for length in 0..<40 {
            for seed in UInt8.min...UInt8.max {
                _ = error(bytes("http://") + (0..<length).map { seed &* 31 &+ UInt8($0) &* 17 })
            }
        }
    }
}
