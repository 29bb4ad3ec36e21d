import CHeartwire
import Testing
import WebSocket

@testable import Heartwire

struct TLSSettingsTests {
    private func settings(_ properties: [(String, String)], role: Role = .client) throws -> TLSSettings {
        try TLSSettings(Config(properties).snapshot, role: role)
    }

    private func status(_ properties: [(String, String)], role: Role = .client) throws -> hw_status {
        do {
            _ = try settings(properties, role: role)
            return hw_status(HW_OK)
        } catch let error as ErrorDetails {
            return error.status
        }
    }

    @Test func takesTheDefaults() throws {
        let settings = try settings([])
        #expect(settings.verifies)
        #expect(settings.versionMin == .tls12)
        #expect(settings.caFile.isEmpty)
        #expect(settings.fileStamps == [0, 0, 0, 0])
    }

    @Test func trustsNobodyInParticularWithoutVerification() throws {
        let settings = try settings([("tls.verify", "false"), ("tls.ca_file", "/ca.pem"), ("tls.ca_dir", "/ca"), ("tls.ca_pem", "pem")])
        #expect(settings.caFile.isEmpty && settings.caDirectory.isEmpty && settings.caPEM.isEmpty)
    }

    @Test(arguments: [
        [("tls.certificate_file", "a"), ("tls.certificate_pem", "b")],
        [("tls.certificate_file", "a"), ("tls.key_file", "b"), ("tls.key_pem", "c")],
        [("tls.key_file", "a")],
        [("tls.key_pem", "a")],
        [("tls.key_password", "a")],
    ])
    func findsContradictions(properties: [(String, String)]) throws {
        #expect(try status(properties) == hw_status(HW_E_CONFLICT))
    }

    /// A listener verifies its clients if it is told whom to trust; it does not trust the system's authorities with that.
    @Test func verifiesClientsByNamedAuthoritiesOnly() throws {
        let own = ("tls.certificate_file", "c")
        #expect(!(try settings([own], role: .server).verifies))
        #expect(!(try settings([own, ("tls.verify", "false")], role: .server).verifies))
        for name in ["tls.ca_file", "tls.ca_dir", "tls.ca_pem"] {
            #expect(try settings([own, (name, "x")], role: .server).verifies)
        }
    }

    @Test(arguments: [
        [], [("tls.ca_file", "x")], [("tls.certificate_file", "c"), ("tls.ca_file", "x"), ("tls.verify", "false")],
        [("tls.certificate_file", "c"), ("tls.pins", "x")],
    ])
    func findsWhatDoesNotFitAListener(properties: [(String, String)]) throws {
        #expect(try status(properties, role: .server) == hw_status(HW_E_CONFLICT))
    }

    @Test func sharesNothingBetweenClientsAndListeners() throws {
        let own = [("tls.certificate_file", "c"), ("tls.ca_file", "x")]
        #expect(!(try settings(own)).equals(try settings(own, role: .server)))
    }

    @Test(arguments: ["tls.ca_file", "tls.ca_dir", "tls.certificate_file", "tls.key_file"])
    func refusesPathsThatHoldANUL(name: String) throws {
        #expect(try status([(name, "/a\u{0}b")]) == hw_status(HW_E_VALUE))
    }

    /// Connections share a context only if all that it is made from is alike.
    @Test(arguments: [
        ("tls.verify", "false"), ("tls.ca_file", "x"), ("tls.ca_dir", "x"), ("tls.ca_pem", "x"), ("tls.certificate_file", "x"),
        ("tls.certificate_pem", "x"), ("tls.version_min", "1.3"),
    ])
    func tellsSettingsApart(name: String, value: String) throws {
        let plain = try settings([])
        let other = try settings([(name, value)])
        #expect(!plain.equals(other))
        #expect(other.equals(try settings([(name, value)])))
    }

    @Test(arguments: [("tls.key_file", "x"), ("tls.key_pem", "x"), ("tls.key_password", "x")])
    func tellsKeysApart(name: String, value: String) throws {
        let certificate = ("tls.certificate_file", "c")
        #expect(!(try settings([certificate])).equals(try settings([certificate, (name, value)])))
    }
}

struct TLSClientTests {
    private func url(_ text: String) throws -> URL { try URL(parsing: bytes(text)) }

    private func client(_ properties: [(String, String)], contexts: TLSContexts = TLSContexts()) throws -> TLSClient {
        try TLSClient(Config(properties + [("tls.verify", "false")]).snapshot, url: url("wss://home/"), contexts: contexts)
    }

    @Test func sharesAContextAmongConnectionsAlike() throws {
        let contexts = TLSContexts()
        let one = try client([], contexts: contexts)
        let two = try client([], contexts: contexts)
        let other = try client([("tls.version_min", "1.3")], contexts: contexts)
        #expect(one.context === two.context)
        #expect(one.context !== other.context)
    }

    @Test func refusesMalformedPinsAndNames() throws {
        #expect(throws: ErrorDetails.self) { try client([("tls.pins", "sha256/short")]) }
        #expect(throws: ErrorDetails.self) { try client([("tls.server_name", "a\u{0}b")]) }
    }

    /// A server that was redirected to goes by its own name, and is not the application's own.
    @Test func namesItsOwnServerOnly() throws {
        let named = try client([("tls.server_name", "name")])
        let plain = try client([])
        for (text, isOwn) in [("wss://home/other", true), ("wss://home:443", true), ("wss://home:444/", false), ("wss://away/", false)] {
            let url = try url(text)
            #expect(named.isOwn(url) == isOwn)
            #expect(named.name(for: url) == (isOwn ? bytes("name") : url.host))
            #expect(plain.name(for: url) == url.host)
        }
    }

    @Test func warnsOfConnectionsThatAreNotVerified() throws {
        #expect(try client([]).warning(for: url("wss://home/"))?.contains("anyone can pose as 'home'") == true)
        #expect(try client([]).warning(for: url("ws://home/")) == nil)
    }

    @Test func knowsTheProtocolThatItOffers() {
        let answers: [(String, Bool)] = [("http/1.1", true), ("", true), ("h2", false), ("http/1.0", false), ("http/1.1x", false)]
        for (answer, isOffered) in answers {
            let taken = bytes(answer).withUnsafeBufferPointer { TLSContext.isOffered($0) }
            #expect(taken == isOffered, "\(answer)")
        }
    }
}
