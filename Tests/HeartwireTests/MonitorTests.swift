import Heartbeat
import Session
import Testing
import WebSocket

@testable import Heartwire

struct MonitorTests {
    private func written(_ write: (inout JSONWriter) -> Void) -> String {
        var json = JSONWriter()
        write(&json)
        return String(decoding: json.bytes, as: UTF8.self)
    }

    @Test func commasStandBetweenValuesAlone() {
        let text = written {
            $0.beginObject()
            $0.name("a")
            $0.number(1)
            $0.name("b")
            $0.beginArray()
            $0.beginArray()
            $0.endArray()
            $0.number(nil)
            $0.endArray()
            $0.name("c")
            $0.string([])
            $0.endObject()
        }
        #expect(text == #"{"a":1,"b":[[],null],"c":""}"#)
    }

    @Test(arguments: [
        ("plain", #""plain""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\u{0}\u{1F}\u{7F}", #""\u000a\u0000\u001f\u007f""#),
        ("<b>ü😀</b>", #""<b>ü😀</b>""#),
    ])
    func stringsAreEscaped(text: String, expected: String) {
        #expect(written { $0.string(bytes(text)) } == expected)
    }

    @Test(
        arguments: [
            (nil, "null"), (-1, "0"), (0, "0"), (999, "0"), (1000, "0.001"), (1_000_000, "1"), (1_050_000, "1.050"), (12_345_678, "12.345"),
            (.max, "9223372036854.775"),
        ] as [(Int64?, String)])
    func timesAreMilliseconds(nanoseconds: Int64?, expected: String) {
        #expect(written { $0.milliseconds(nanoseconds.map { Interval(nanoseconds: $0) }) } == expected)
    }

    private func light(
        _ state: State, health: Health = .healthy, quality: Quality = .good, reconnectedSecondsAgo: Int64? = nil
    ) -> MonitorStatus.Light {
        var pulse = HeartbeatPulse()
        (pulse.health, pulse.quality) = (health, quality)
        let now = Instant(nanoseconds: 1_000_000_000_000)
        let reconnected = reconnectedSecondsAgo.map { now + .seconds(-$0) }
        let status = MonitorStatus(state, pulse, reconnected: reconnected, now)
        #expect((status.light == .healthy) == (status.reason.utf8CodeUnitCount == 0))
        return status.light
    }

    @Test func theLightIsTheWorstOfWhatIsKnown() {
        #expect(light(.connected) == .healthy)
        #expect(light(.connected, health: .unknown, quality: .unknown) == .healthy)
        #expect(light(.connected, quality: .fair) == .warning)
        #expect(light(.connected, quality: .poor) == .warning)
        #expect(light(.connected, health: .warning, quality: .excellent) == .warning)
        #expect(light(.connected, health: .error, quality: .excellent) == .error)
        #expect(light(.connected, reconnectedSecondsAgo: 59) == .warning)
        #expect(light(.connected, reconnectedSecondsAgo: 60) == .healthy)
        for state in [State.disconnected, .connecting, .reconnecting, .closing, .failed] { #expect(light(state) == .error) }
    }

    @Test func aListenerThatLetsNobodyInIsNotWell() throws {
        let settings = try Config([("listener.metrics", "true")]).snapshot
        guard case .addresses(let addresses)? = Resolver.numeric(bytes("127.0.0.1"), port: 0) else { return }
        let pages = try ListenerPages(settings, at: addresses[0])
        var handshake = ServerHandshake()
        var consumed = 0
        _ = try? bytes("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").withUnsafeBytes { try handshake.read($0, consumed: &consumed) }
        let request = try #require(handshake.pageRequest)
        let answers = [true, false].map { String(decoding: pages.answer(request, isOpen: $0) { [] } ?? [], as: UTF8.self) }
        #expect(answers[0].hasPrefix("HTTP/1.1 200 OK\r\n") && answers[0].hasSuffix("\r\n\r\nok\n"))
        #expect(answers[1].hasPrefix("HTTP/1.1 503 Service Unavailable\r\n") && answers[1].hasSuffix("\r\n\r\nclosing\n"))
    }
}
