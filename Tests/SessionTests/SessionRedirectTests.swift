/// Redirects of the opening handshake: which are followed, what goes along, and where the next attempt begins.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionRedirectTests {
    private static let secrets = [
        "Authorization: Basic c2VjcmV0", "Cookie: c2VjcmV0", "Proxy-Authorization: c2VjcmV0", "X-API-Key: c2VjcmV0",
    ]
    private static let harmless = ["Origin: http://app.test", "user-agent: test/1"]

    /// A session that has asked its first question.
    private func started(_ url: String = "ws://peer.test/path", redirectsMax: Int = 3) throws -> SessionHarness {
        let url = try URL(parsing: bytes(url))
        let harness = SessionHarness {
            $0 = SessionConfiguration(url: url)
            $0.redirectsMax = redirectsMax
            $0.connectTimeout = .seconds(3)
            $0.headerFields = (Self.secrets + Self.harmless).map(bytes)
        }
        harness.start()
        harness.openTransport()
        return harness
    }

    private func redirect(_ harness: SessionHarness, to location: String, status: Int = 302) {
        harness.answer("HTTP/1.1 \(status) Elsewhere\nLocation: \(location)\nContent-Length: 100\n\nsome of the body")
    }

    private func request(_ harness: SessionHarness) -> String { String(decoding: harness.streams.last ?? [], as: UTF8.self) }

    @Test(arguments: [301, 302, 303, 307, 308]) func followsWithinTheAttempt(status: Int) throws {
        let harness = try started()
        redirect(harness, to: "/elsewhere?a=1", status: status)
        #expect(harness.transportsOpened == 2)
        #expect(harness.isTransportOpen)
        harness.openTransport()
        #expect(request(harness).hasPrefix("GET /elsewhere?a=1 HTTP/1.1\r\nHost: peer.test\r\n"))
        harness.acceptHandshake(then: SentFrame.write(.text, bytes("hello")))
        #expect(harness.takeEvents() == ["state connecting", "opened 1", "state connected"])
        #expect(harness.received == [bytes("hello")])
        #expect(harness.metrics.attemptsFailed == 0)
    }

    @Test(arguments: [(302, "", 3), (304, "/x", 3), (300, "/x", 3), (305, "/x", 3), (200, "/x", 3), (503, "/x", 3), (302, "/x", 0)])
    func reportsWhatIsNoRedirectOrNotToBeFollowed(status: Int, location: String, redirectsMax: Int) throws {
        let harness = try started(redirectsMax: redirectsMax)
        let field = location.isEmpty ? "" : "Location: \(location)\n"
        harness.answer("HTTP/1.1 \(status) No\n\(field)Content-Length: 0\n\n")
        #expect(harness.transportsOpened == 1)
        #expect(harness.takeEvents()[1].hasPrefix("attempt 1 failed (status \(status)"))
    }

    @Test func givesUpOnALoop() throws {
        let harness = try started(redirectsMax: 3)
        for _ in 0..<4 {
            redirect(harness, to: "ws://peer.test/path")
            harness.openTransport()
        }
        #expect(harness.transportsOpened == 4)
        #expect(harness.takeEvents()[1].hasPrefix("attempt 1 failed (redirect 302 tooMany(limit: 3))"))
    }

    @Test(arguments: ["ws://peer.test/", "http://peer.test/", "//other.test:80/../x", "WS://other.test"])
    func goesFromEncryptedToEncryptedOnly(location: String) throws {
        let harness = try started("wss://peer.test/")
        redirect(harness, to: location)
        if location.hasPrefix("//") {
            #expect(harness.session.target(of: .first).isSecure)
        } else {
            #expect(harness.transportsOpened == 1)
            #expect(harness.takeEvents()[1].hasPrefix("attempt 1 failed (redirect 302 downgrade)"))
        }
    }

    /// Not even by way of a third place.
    @Test func doesNotComeBackFromEncryption() throws {
        let harness = try started("ws://peer.test/")
        redirect(harness, to: "https://peer.test/")
        harness.openTransport()
        #expect(harness.session.target(of: .first).isSecure)
        redirect(harness, to: "http://peer.test/")
        #expect(harness.takeEvents()[1].hasPrefix("attempt 1 failed (redirect 302 downgrade)"))
    }

    @Test(arguments: ["ftp://h/", "ws://", "ws://user:password@peer.test/", "ws://h:99999/", "/a b", "mailto:x@y"])
    func refusesTargetsThatAreNone(location: String) throws {
        let harness = try started()
        redirect(harness, to: location)
        #expect(harness.transportsOpened == 1)
        #expect(harness.takeEvents()[1].hasPrefix("attempt 1 failed (redirect 302 target("))
    }

    @Test(
        arguments: [
            ("/", true), ("ws://peer.test/other", true), ("http://PEER.test:80/", true), ("?q", true), ("ws://other.test/", false),
            ("ws://peer.test:81/", false), ("wss://peer.test/", false), ("wss://peer.test:80/", false), ("ws://peer.test./", false),
            ("//sub.peer.test/", false),
        ])
    func carriesCredentialsToTheSameOriginOnly(location: String, isSame: Bool) throws {
        let harness = try started()
        redirect(harness, to: location)
        harness.openTransport()
        for field in Self.secrets { #expect(request(harness).contains(field) == isSame) }
        for field in Self.harmless { #expect(request(harness).contains(field)) }
        #expect(request(harness).contains("c2VjcmV0") == isSame)
    }

    @Test func doesNotCarryCredentialsBackAfterADetour() throws {
        let harness = try started()
        redirect(harness, to: "ws://other.test/")
        harness.openTransport()
        redirect(harness, to: "ws://peer.test/chosen-by-other")
        harness.openTransport()
        #expect(request(harness).hasPrefix("GET /chosen-by-other"))
        #expect(!request(harness).contains("c2VjcmV0"))
    }

    @Test func beginsTheNextAttemptAtTheConfiguredURL() throws {
        let harness = try started(redirectsMax: 1)
        redirect(harness, to: "ws://other.test/new")
        harness.openTransport()
        harness.acceptHandshake()
        harness.endTransport()
        harness.runToDeadline()
        harness.openTransport()
        #expect(request(harness).hasPrefix("GET /path HTTP/1.1\r\nHost: peer.test\r\n"))
        #expect(request(harness).contains(Self.secrets[0]))
        redirect(harness, to: "ws://other.test/new")
        harness.openTransport()
        harness.acceptHandshake()
        #expect(harness.session.epoch == 2)
    }

    @Test func staysUnderTheAttemptsTimeout() throws {
        let harness = try started()
        harness.advance(.milliseconds(2000))
        redirect(harness, to: "/x")
        harness.advance(.milliseconds(999))
        #expect(harness.takeEvents() == ["state connecting"])
        harness.advance(.milliseconds(1))
        #expect(harness.takeEvents() == ["attempt 1 failed (timeout)", "state reconnecting (timeout)"])
    }

    @Test func keepsWhatWasQueuedThroughARedirect() throws {
        let harness = try started()
        harness.send(bytes("queued"))
        redirect(harness, to: "/x")
        harness.openTransport()
        harness.acceptHandshake()
        #expect(try harness.sentFrames() == [SentFrame(.text, bytes("queued"))])
    }

    @Test func endsWithATransportThatCannotBeOpenedThere() throws {
        let harness = try started()
        redirect(harness, to: "ws://nowhere.test/")
        harness.endTransport(.resolve)
        #expect(harness.takeEvents() == ["state connecting", "attempt 1 failed (resolve)", "state reconnecting (resolve)"])
    }
}
