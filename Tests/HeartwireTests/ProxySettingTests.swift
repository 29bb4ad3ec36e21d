import CHeartwire
import Testing
import WebSocket

@testable import Heartwire

struct ProxySettingTests {
    private func url(_ text: String) throws -> URL { try URL(parsing: bytes(text)) }

    /// The proxy's host, nil for none.
    private func host(_ setting: String, _ url: String, _ variables: [String: String] = [:]) throws -> String? {
        let url = try self.url(url)
        let setting = try ProxySetting(bytes(setting), mayBePlain: !url.isSecure) { name in variables[text(name)].map { bytes($0) } }
        return setting.proxy(for: url).map { String(decoding: $0.host, as: UTF8.self) }
    }

    @Test func readsNoEnvironmentUnlessAsked() throws {
        for setting in ["", "http://fixed"] {
            _ = try ProxySetting(bytes(setting), mayBePlain: false) { name in
                Issue.record("\(name) was read")
                return nil
            }
        }
    }

    @Test func takesWhatIsSet() throws {
        let variables = ["https_proxy": "http://other", "no_proxy": "*"]
        #expect(try host("", "wss://h", variables) == nil)
        #expect(try host("socks5://fixed", "wss://h", variables) == "fixed")
        #expect(try host("socks5h://fixed", "ws://h", variables) == "fixed")
    }

    @Test(
        arguments: [
            ("wss://h", ["https_proxy": "http://a", "HTTPS_PROXY": "http://b", "all_proxy": "http://c", "ALL_PROXY": "http://d"], "a"),
            ("wss://h", ["https_proxy": "", "HTTPS_PROXY": "http://b", "all_proxy": "http://c", "ALL_PROXY": "http://d"], "b"),
            ("wss://h", ["all_proxy": "http://c", "ALL_PROXY": "http://d", "http_proxy": "http://e"], "c"),
            ("wss://h", ["ALL_PROXY": "socks5://d", "http_proxy": "http://e"], "d"),
            ("ws://h", ["http_proxy": "http://e", "all_proxy": "http://c"], "e"),
            ("ws://h", ["HTTP_PROXY": "http://f"], nil),
            ("ws://h", ["https_proxy": "http://a", "HTTPS_PROXY": "http://b", "ALL_PROXY": "http://d"], "d"),
            ("ws://h", [:], nil),
            ("ws://h", ["http_proxy": "plain:3128"], "plain"),
            ("ws://h", ["http_proxy": "user:secret@plain:3128/"], "plain"),
            ("ws://h", ["http_proxy": "http://e", "no_proxy": "h"], nil),
            ("ws://h", ["http_proxy": "http://e", "NO_PROXY": "h:80"], nil),
            ("ws://h", ["http_proxy": "http://e", "NO_PROXY": "h:81"], "e"),
            ("ws://h", ["http_proxy": "http://e", "no_proxy": "x", "NO_PROXY": "h"], "e"),
            ("wss://h", ["https_proxy": "http://a", "http_proxy": "what is this"], "a"),
        ] as [(String, [String: String], String?)])
    func findsProxiesInTheEnvironment(url: String, variables: [String: String], expected: String?) throws {
        #expect(try host("env", url, variables) == expected)
    }

    /// After a redirect from ws to wss.
    @Test func choosesByTheURLThatIsConnectedTo() throws {
        let variables = ["http_proxy": "http://plain", "https_proxy": "http://secure", "no_proxy": "direct"]
        let setting = try ProxySetting(bytes("env"), mayBePlain: true) { name in variables[text(name)].map { bytes($0) } }
        #expect(setting.proxy(for: try url("ws://h"))?.host == bytes("plain"))
        #expect(setting.proxy(for: try url("wss://h"))?.host == bytes("secure"))
        #expect(setting.proxy(for: try url("wss://direct"))?.host == nil)
    }

    @Test(
        arguments: [
            ("proxy:3128", [:], "'proxy'"), ("https://u:secret@h", [:], "https://"), ("http://u:secret@h:x", [:], "port"),
            ("env", ["https_proxy": "https://u:secret@h"], "https_proxy"), ("env", ["ALL_PROXY": "socks4://u:secret@h"], "ALL_PROXY"),
            ("env", ["all_proxy": "u:se\ncret@h"], "all_proxy"),
        ] as [(String, [String: String], String)])
    func saysWhatIsMalformedAndNoPassword(setting: String, variables: [String: String], hint: String) throws {
        let error = #expect(throws: ErrorDetails.self) { try host(setting, "wss://h", variables) }
        #expect(error?.status == hw_status(HW_E_VALUE))
        #expect(error?.message.contains(hint) == true)
        #expect(error?.message.contains("secret") == false)
    }

    @Test func valuesThatAreNoTextAreNotShown() throws {
        let error = #expect(throws: ErrorDetails.self) { try Config().set(bytes("proxy"), bytes("http://u:secret@h") + [0xFF]) }
        #expect(error?.status == hw_status(HW_E_VALUE))
        #expect(error?.message.contains("secret") == false)
    }
}
