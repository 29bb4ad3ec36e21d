import Testing
import WebSocket

struct BasicAuthenticationTests {
    /// The examples of RFC 7617 sections 2 and 2.1.
    @Test(arguments: [
        ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ("test:123\u{A3}", "dGVzdDoxMjPCow=="), (":", "Og=="),
    ])
    func writesTheHeader(credentials: String, encoded: String) {
        #expect(BasicAuthentication.authorization(bytes(credentials)) == bytes("Authorization: Basic " + encoded))
    }

    @Test(arguments: [
        ("a:b", true), (":", true), ("a:", true), ("a:b:c", true), ("gr\u{FC}n:x", true), ("", false), ("a", false), ("a:\u{7F}", false),
        ("a\u{0}:b", false), ("a:b\r\nX: y", false), ("a:\tb", false),
    ])
    func knowsWhatMayBeSent(credentials: String, isValid: Bool) {
        #expect(BasicAuthentication.isValid(bytes(credentials)) == isValid)
    }
}
