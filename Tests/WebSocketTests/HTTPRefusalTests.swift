import Testing
import WebSocket

struct HTTPRefusalTests {
    /// A server can send us on to where we came from, with what was secret in our own request.
    @Test(arguments: [
        ("wss://h/feed?token=SECRET", "'wss://h/feed...'"), ("wss://user:SECRET@h/a", "'wss://h/a...'"), ("//SECRET@h", "'//h...'"),
        ("/a@b", "'/a@b'"), ("https://h:1/x#SECRET", "'https://h:1/x...'"), ("?SECRET", "'...'"), ("a b", "'a?b'"),
    ])
    func showsNoQueryAndNoUserOfALocation(location: String, shown: String) {
        let sentence = HandshakeError.refused(HTTPRefusal(status: 302, location: bytes(location))).sentence
        #expect(sentence.contains("points to \(shown);"))
        #expect(!sentence.contains("SECRET"))
        let redirect = HandshakeError.redirect(.downgrade, HTTPRefusal(status: 302, location: bytes(location))).sentence
        #expect(!redirect.contains("SECRET"))
    }

    @Test func cutsALongLocation() {
        let sentence = HandshakeError.refused(HTTPRefusal(status: 301, location: [UInt8](repeating: 0x61, count: 1000))).sentence
        #expect(sentence.contains("'" + String(repeating: "a", count: 100) + "...'"))
    }
}
