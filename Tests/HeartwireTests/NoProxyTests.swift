import Testing

@testable import Heartwire

struct NoProxyTests {
    @Test(arguments: [
        ("example.org", "example.org"), ("example.org", "api.example.org"), (".example.org", "api.example.org"),
        (".example.org", "example.org"),
        ("EXAMPLE.org", "example.org"), ("example.org.", "example.org"), ("example.org", "example.org."),
        ("other, example.org", "example.org"),
        ("other example.org", "example.org"), ("other,\texample.org ,", "example.org"), ("*", "example.org"), ("a,*", "::1"),
        ("org", "example.org"),
        ("example.org:443", "example.org"), (".org:443", "example.org"), ("localhost", "localhost"), ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:443", "127.0.0.1"), ("10.0.0.0/8", "10.255.1.2"), ("192.168.0.0/23", "192.168.1.7"), ("0.0.0.0/0", "8.8.8.8"),
        ("10.1.2.3/32", "10.1.2.3"), ("::1", "::1"), ("[::1]", "::1"), ("[::1]:443", "::1"), ("0:0:0:0:0:0:0:1", "::1"),
        ("fd00::/8", "fd12:3456::1"), ("2001:db8::/33", "2001:db8:7fff::1"), ("fe80::1", "fe80::1%eth0"), ("::/0", "2001:db8::1"),
    ])
    func covers(list: String, host: String) {
        #expect(NoProxy.covers(bytes(list), host: bytes(host), port: 443))
    }

    @Test(arguments: [
        ("", "example.org"), (" , ", "example.org"), (".", "example.org"), ("..", "example.org"), ("example.org", "badexample.org"),
        ("example.org", "example.com"), ("api.example.org", "example.org"), ("*.example.org", "api.example.org"),
        ("example.org:80", "example.org"), ("example.org:", "example.org"), ("example.org:x", "example.org"),
        ("example.org:99999", "example.org"),
        ("127.0.0.1", "127.0.0.11"), ("127.0.0.1:80", "127.0.0.1"), ("0.0.1", "127.0.0.1"), ("10.0.0.0/8", "11.0.0.1"),
        ("192.168.0.0/23", "192.168.2.1"), ("10.0.0.0/33", "10.0.0.0"), ("10.0.0.0/", "10.0.0.0"), ("10.0.0.0/x", "10.0.0.0"),
        ("10.0.0.0/-1", "10.0.0.0"), ("10.0.0.0/99999999999999999999", "10.0.0.0"), ("10.0.0.0/8", "a10.0.0.1"), ("::1", "::2"),
        ("[::1]:80", "::1"),
        ("[::1", "::1"), ("[::1]443", "::1"), ("2001:db8::/33", "2001:db8:8000::1"), ("::/129", "::1"), ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::/0", "10.0.0.1"), ("0.0.0.0/0", "::1"), ("[]", "example.org"), ("[", "example.org"), ("]", "example.org"),
        (":443", "example.org"),
    ])
    func doesNotCover(list: String, host: String) {
        #expect(!NoProxy.covers(bytes(list), host: bytes(host), port: 443))
    }
}
