import CHeartwire
import Heartbeat
import Testing
import WebSocket

@testable import Heartwire

struct ConnectionPlanTests {
    private func plan(_ properties: [(String, String)], url: String = "ws://h/") throws -> ConnectionPlan {
        try Config(properties).plan(url: url)
    }

    private func status(_ properties: [(String, String)], url: String = "ws://h/") throws -> hw_status {
        do {
            _ = try plan(properties, url: url)
            return hw_status(HW_OK)
        } catch let error as ErrorDetails {
            return error.status
        }
    }

    @Test func takesTheDefaults() throws {
        let plan = try plan([])
        #expect(plan.session.heartbeat.ping?.interval == .seconds(20))
        #expect(plan.session.heartbeat.ping?.timeout == .seconds(20))
        #expect(plan.session.heartbeat.ping?.missedMax == 2)
        #expect(plan.session.heartbeat.rules == nil)
        #expect(plan.session.connectTimeout == .seconds(15))
        #expect(plan.session.closeTimeout == .seconds(5))
        #expect(plan.session.messages.messageSizeMax == 16 << 20)
        #expect(plan.session.handshakeSizeMax == 65536)
        #expect(plan.session.redirectsMax == 0)
        #expect(plan.session.headerFields == [])
        #expect(plan.session.reconnects)
        #expect(plan.session.backoff.base == .milliseconds(500))
        #expect(plan.session.backoff.cap == .seconds(30))
        #expect(plan.session.backoff.attemptsMax == 0)
        #expect(plan.session.stableAfter == .seconds(10))
        #expect(plan.outbox.messagesMax == 10_000)
        #expect(plan.outbox.bytesMax == 16 << 20)
        #expect(plan.outbox.fragmentSize == 65536)
        #expect(plan.inboxLimits.messagesMax == 65536)
        #expect(plan.inboxLimits.bytesMax == 16 << 20)
        #expect(plan.inboxLimits.overflow == .pause)
        #expect(plan.delivery == .dispatcher)
        #expect(plan.tls == nil)
    }

    @Test func takesWhatIsSet() throws {
        let plan = try plan([
            ("ping.interval", "0"), ("heartbeat.interval", "1s"), ("heartbeat.binary", "beat"), ("reconnect.enabled", "false"),
            ("reconnect.attempts_max", "7"), ("message.fragment_bytes", "125"), ("inbox.overflow", "drop_newest"), ("delivery", "inline"),
            ("subprotocols", " chat , v2.chat"), ("message.bytes_max", "1"),
            ("handshake.bytes_max", "1KiB"), ("redirects.max", "20"),
        ])
        #expect(plan.session.handshakeSizeMax == 1024)
        #expect(plan.session.redirectsMax == 20)
        #expect(plan.session.heartbeat.ping?.interval == nil)
        let beat = try #require(plan.session.heartbeat.rules?.beats.first)
        if case .fixed(let interval) = beat.every { #expect(interval == .seconds(1)) } else { Issue.record("\(beat.every)") }
        #expect(beat.send.opcode == .binary)
        #expect(beat.send.body == Template([.literal(bytes("beat"))]))
        #expect(!plan.session.reconnects)
        #expect(plan.session.backoff.attemptsMax == 7)
        #expect(plan.outbox.fragmentSize == 125)
        #expect(plan.inboxLimits.overflow == .dropNewest)
        #expect(plan.delivery == .inline)
        #expect(plan.session.subprotocols == [bytes("chat"), bytes("v2.chat")])
        #expect(plan.session.messages.messageSizeMax == 1)
    }

    @Test(arguments: [("deribit", false), ("okx", false), ("twitch-eventsub", false), ("binance-spot", false), ("htx-op", true)])
    func pingsWhereThePresetWouldNotNoticeSilence(preset: String, pings: Bool) throws {
        #expect(try plan([("preset", preset)]).session.heartbeat.ping?.interval == (pings ? .seconds(20) : nil))
        #expect(try plan([("preset", preset), ("ping.interval", "0")]).session.heartbeat.ping == nil)
    }

    @Test func pingsBesideAPresetIfAskedTo() throws {
        #expect(try plan([("preset", "deribit"), ("ping.interval", "5s")]).session.heartbeat.ping?.interval == .seconds(5))
    }

    @Test(
        arguments: [
            ([("ping.interval", "30s")], (30, 20, 15)), ([], (20_000, 13_333, 10_000)),
            ([("ping.interval", "30s"), ("ping.interval_fair", "25s"), ("ping.interval_poor", "5s")], (30, 25, 5)),
            ([("ping.interval", "30s"), ("ping.interval_fair", "10s")], (30, 10, 10)),
            ([("ping.interval", "30s"), ("ping.interval_poor", "30s")], (30, 30, 30)),
        ] as [([(String, String)], (Int64, Int64, Int64))])
    func pingsAdaptWithinBounds(properties: [(String, String)], expected: (Int64, Int64, Int64)) throws {
        let adaptive = try #require(try plan([("heartbeat.adaptive", "true")] + properties).session.heartbeat.adaptive)
        let unit: Int64 = properties.isEmpty ? 1_000_000 : 1_000_000_000
        let intervals = (adaptive.good.nanoseconds / unit, adaptive.fair.nanoseconds / unit, adaptive.poor.nanoseconds / unit)
        #expect(intervals == expected)
    }

    @Test func aListenersPingsAdaptFromItsOwnInterval() throws {
        let listener = try ListenerPlan.heartbeat(try Config([("heartbeat.adaptive", "true")]).snapshot)
        let adaptive = try #require(listener.adaptive)
        #expect(adaptive.good == .seconds(30) && adaptive.fair == .seconds(20) && adaptive.poor == .seconds(15))
        #expect(listener.ping?.interval == .seconds(30))
        #expect(try plan([]).session.heartbeat.adaptive == nil)
        #expect(try plan([("heartbeat.adaptive", "true"), ("ping.interval", "0")]).session.heartbeat.adaptive == nil)
    }

    @Test func passesHeadersOn() throws {
        let config = Config()
        try config.addHeader(name: bytes("Origin"), value: bytes("http://x"))
        let plan = try config.plan(url: "ws://h")
        #expect(plan.session.headerFields == [bytes("Origin: http://x")])
    }

    @Test(
        arguments: [
            ("ws://Aladdin:open%20sesame@h/", []), ("ws://h/", [("basic_auth", "Aladdin:open sesame")]),
            ("ws://Aladdin:open%20sesame@h/", [("basic_auth", "")]),
        ] as [(String, [(String, String)])])
    func sendsCredentials(url: String, properties: [(String, String)]) throws {
        let plan = try plan(properties, url: url)
        #expect(plan.session.headerFields == [bytes("Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")])
    }

    @Test(
        arguments: [
            ("ws://user:hunter2@h/", "user:hunter2", false, HW_E_CONFLICT), ("ws://user:hunter2@h/", nil, true, HW_E_CONFLICT),
            ("ws://h/", "user:hunter2", true, HW_E_CONFLICT), ("ws://h/", "hunter2", false, HW_E_VALUE),
            ("ws://h/", "user:hunter2\r\nX: y", false, HW_E_VALUE), ("ws://h/", "user:hunter2\u{0}", false, HW_E_VALUE),
            ("ws://user:hunter2 @h/", nil, false, HW_E_URL), ("ws://user:hunter2@h:x/", nil, false, HW_E_URL),
            ("wz://user:hunter2@h/", nil, false, HW_E_URL), ("ws://user:hunter2@h/a b", nil, false, HW_E_URL),
        ] as [(String, String?, Bool, Int)])
    func refusesContradictingCredentialsWithoutShowingThem(url: String, property: String?, header: Bool, status: Int) throws {
        let config = Config()
        if let property { try config.set(bytes("basic_auth"), bytes(property)) }
        if header { try config.addHeader(name: bytes("AUTHORIZATION"), value: bytes("Bearer hunter2")) }
        let error = refusal(config, url)
        #expect(error?.status == hw_status(status))
        #expect(error?.message.contains("hunter2") == false)
    }

    private func refusal(_ config: Config, _ url: String) -> ErrorDetails? {
        do throws(ErrorDetails) {
            _ = try config.plan(url: url)
            return nil
        } catch {
            return error
        }
    }

    @Test func needsTrustWhereARedirectMayLeadToEncryption() throws {
        #expect(try status([("tls.ca_file", "/nowhere/ca.pem"), ("redirects.max", "1")]) == hw_status(HW_E_TRUST_STORE))
    }

    @Test(arguments: [
        [("heartbeat.interval", "1s")],
        [("heartbeat.text", "beat")],
        [("heartbeat.binary", "beat")],
        [("heartbeat.text", "")],
        [("heartbeat.interval", "0"), ("heartbeat.text", "beat")],
        [("heartbeat.interval", "1s"), ("heartbeat.text", "a"), ("heartbeat.binary", "b")],
        [("heartbeat.text", "a"), ("heartbeat.binary", "b")],
        [("delivery", "inbox")],
    ])
    func findsContradictions(properties: [(String, String)]) throws {
        #expect(try status(properties) == hw_status(HW_E_CONFLICT))
    }

    @Test(arguments: [
        ("", HW_OK), ("a", HW_OK), ("a,b", HW_OK), ("a,", HW_E_VALUE), (",a", HW_E_VALUE), (",", HW_E_VALUE), ("a b", HW_E_VALUE),
        ("a,a", HW_E_VALUE), ("a, a", HW_E_VALUE), ("a,A", HW_OK), (" ", HW_E_VALUE), ("a\r\n", HW_E_VALUE),
    ])
    func checksSubprotocols(list: String, expected: Int) throws {
        #expect(try status([("subprotocols", list)]) == hw_status(expected))
    }

    @Test(arguments: ["", "http://h", "ws://", "ws://h/#f", "ws://h:99999"]) func refusesMalformedURLs(url: String) throws {
        #expect(try status([], url: url) == hw_status(HW_E_URL))
    }

    @Test func refusesAPathThatHoldsANUL() throws {
        #expect(try status([("tls.ca_file", "/ca.pem\u{0}.txt")], url: "wss://h") == hw_status(HW_E_VALUE))
    }

    @Test func tellsOfATrustStoreThatCannotBeRead() throws {
        #expect(try status([("tls.ca_file", "/nowhere/ca.pem")], url: "wss://h") == hw_status(HW_E_TRUST_STORE))
        #expect(try status([("tls.ca_file", "/nowhere/ca.pem")]) == hw_status(HW_OK))
    }
}
