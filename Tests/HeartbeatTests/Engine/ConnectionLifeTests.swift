/// What happens once a connection, and what one connection must not leave to the next.
import Heartbeat
import Testing
import WebSocket

struct ConnectionLifeTests {
    // MARK: Setup

    @Test func setsUpWhenTheConnectionOpensAndOnceAMatchComes() throws {
        let harness = try EngineHarness(
            #"""
            {"setup": [{"on": "open", "send": {"body": "hello"}}, {"on": {"eq": "welcome"}, "send": {"body": "subscribe"}}]}
            """#)
        #expect(harness.takeSent() == ["0 hello"])
        for _ in 0..<3 { harness.receive("welcome") }
        #expect(harness.takeSent() == ["0 subscribe"])
        harness.end()
        harness.receive("welcome")
        #expect(harness.takeSent() == [])
        harness.open()
        harness.receive("welcome")
        #expect(harness.takeSent() == ["0 hello", "0 subscribe"])
        #expect(harness.allSent.allSatisfy { $0.purpose == .setup })
    }

    @Test func goesThroughLearnSetupAndReplyInThisOrder() throws {
        let harness = try EngineHarness(
            #"""
            {"reply": [{"on": {"has": ["/n"]}, "send": {"body": "reply ${last.n}"}}],
             "setup": [{"on": {"has": ["/n"]}, "send": {"body": "setup ${last.n}"}}],
             "learn": [{"on": {"has": ["/n"]}, "path": "/n", "var": "n"}]}
            """#)
        harness.receive(#"{"n": 5}"#)
        #expect(harness.takeSent() == ["0 setup 5", "0 reply 5"])
    }

    // MARK: Counters and learned values

    private static let counting = #"{"beat": [{"every": "10s", "send": {"body": "${counter}"}}], "#

    @Test func countsEachConnectionAnew() throws {
        let harness = try EngineHarness(#"{"beat": [{"every": "10s", "send": {"body": "${counter}"}}]}"#) { $0.counterStart = 7 }
        harness.run(until: 20_000)
        harness.end()
        harness.open()
        harness.run(until: 40_000)
        #expect(harness.takeSent() == ["10000 7", "20000 8", "30000 7", "40000 8"])
        #expect(harness.allSent.allSatisfy { !$0.followsQueue })
    }

    @Test func goesOnFromWhatIsSentAndFollowsItThen() throws {
        let harness = try EngineHarness(
            Self.counting + #""learn": [{"dir": "out", "on": {"type": {"/id": "number"}}, "path": "/id", "var": "counter"}]}"#)
        harness.applicationSends(#"{"id": 41}"#)
        harness.applicationSends(#"{"id": 3}"#)
        harness.applicationSends(#"{"id": "99"}"#)
        harness.run(until: 20_000)
        harness.end()
        harness.open()
        harness.run(until: 30_000)
        #expect(harness.takeSent() == ["10000 42", "20000 43", "30000 1"])
        #expect(harness.allSent.allSatisfy { $0.followsQueue })
    }

    @Test func goesOnFromWhatIsReceived() throws {
        let harness = try EngineHarness(Self.counting + #""learn": [{"on": {"has": ["/seq"]}, "path": "/seq", "var": "counter"}]}"#)
        for seq in ["9", "4", "null", "-1", "1.5", "1e3", "9223372036854775807", "99999999999999999999", #""x""#] {
            harness.receive(#"{"seq": \#(seq)}"#)
        }
        harness.run(until: 10_000)
        #expect(harness.takeSent() == ["10000 10"])
    }

    @Test func forgetsWhatAnEarlierConnectionTaught() throws {
        let harness = try EngineHarness(
            #"""
            {"learn": [{"on": {"has": ["/s"]}, "path": "/s", "var": "s"}],
             "beat": [{"every": "10s", "send": {"body": "${last.s|none}"}}]}
            """#)
        harness.receive(#"{"s": 5}"#)
        harness.receive(#"{"s": null}"#)
        harness.run(until: 10_000)
        harness.end()
        harness.open()
        harness.run(until: 20_000)
        #expect(harness.takeSent() == ["10000 5", "20000 none"])
    }

    /// What waits to be sent on the next connection is looked at between the two.
    @Test func learnsBetweenConnectionsFromWhatWaits() throws {
        let harness = try EngineHarness(
            #"""
            {"learn": [{"dir": "out", "on": {"type": {"/id": "number"}}, "path": "/id", "var": "counter"}],
             "setup": [{"on": "open", "send": {"body": "${counter}"}}]}
            """#)
        harness.end()
        harness.applicationSends(#"{"id": 41}"#)
        harness.open()
        #expect(harness.takeSent() == ["0 1", "0 42"])
    }

    @Test func aRecordThatOneConnectionCutDoesNotGoOnInTheNext() throws {
        let harness = try EngineHarness(
            #"{"frame": {"split": "mqtt"}, "reply": [{"on": {"op": "binary", "hex": "d000"}, "send": {"body": "pong"}}]}"#)
        harness.receive([0xD0], .binary)
        harness.end()
        harness.open()
        harness.receive([0x00, 0xD0, 0x00], .binary)
        #expect(harness.takeSent() == [])
        harness.end()
        harness.open()
        harness.receive([0xD0], .binary)
        harness.receive([0x00], .binary)
        #expect(harness.takeSent() == ["0 pong"])
    }

    // MARK: Pings

    @Test func pongsOfAnEarlierConnectionDoNothing() throws {
        let harness = EngineHarness(nil) { $0.ping = .init(interval: .seconds(10), timeout: .seconds(5), missedMax: 5) }
        harness.run(until: 12_000)
        let old = try #require(harness.allSent.last).payload
        harness.end()
        harness.open()
        harness.run(until: 23_000)
        harness.receivePong(old)
        #expect(harness.takeNotes().withoutHealth == [])
        #expect(harness.engine.roundTrips.count == 0)
        harness.receivePong(try #require(harness.allSent.last).payload)
        #expect(harness.takeNotes().withoutHealth == ["23000 acked ping 1000"])
        #expect(harness.engine.roundTrips.count == 1)
    }

    @Test func qualityNeedsThreeRoundTripsOfItsOwnConnection() throws {
        let harness = EngineHarness(nil) { $0.ping = .init(interval: .seconds(10), timeout: .seconds(5), missedMax: 5) }
        func exchange(_ count: Int) throws {
            for _ in 0..<count {
                let deadline = harness.engine.deadline
                harness.run(until: try #require(deadline))
                let ping = try #require(harness.allSent.last)
                harness.stall(until: harness.now.nanoseconds / 1_000_000 + 10)
                harness.receivePong(ping.payload)
            }
        }
        try exchange(2)
        harness.end()
        harness.open()
        try exchange(2)
        #expect(harness.engine.snapshot.quality == .unknown)
        try exchange(1)
        #expect(harness.engine.snapshot.quality == .excellent)
        #expect(harness.takeNotes().last?.hasSuffix("quality unknown to excellent") == true)
        harness.end()
        #expect(harness.engine.snapshot.quality == .unknown)
    }

    // MARK: Advice

    @Test func tellsWhenTheServiceWantsANewConnection() throws {
        let harness = try EngineHarness(
            #"{"reconnect": {"max_age": "60s", "on": [{"json": {"/t": "bye"}}], "url": "/url"}}"#)
        harness.receive(#"{"t": "bye", "url": "wss://there.test/a"}"#)
        harness.receive(#"{"t": "bye"}"#)
        harness.receive(#"{"t": "hello"}"#)
        harness.run(until: 59_999)
        #expect(harness.takeNotes() == ["0 reconnect wss://there.test/a", "0 reconnect "])
        harness.run(until: 600_000)
        #expect(harness.takeNotes() == ["60000 reconnect "])
        harness.end()
        harness.open()
        harness.run(until: 700_000)
        #expect(harness.takeNotes() == ["660000 reconnect "])
        #expect(harness.verdicts == [])
    }

    // MARK: Timestamps

    @Test func timestampsGiveTheLatencyOfOneWay() throws {
        let harness = try EngineHarness(
            #"""
            {"stamp": [{"on": {"has": ["/ts"]}, "path": "/ts", "unit": "ms"}],
             "beat": [{"every": "10s", "send": {"body": "beat"}, "ack": {"on": {"eq": "pong"}, "within": "5s"}}]}
            """#)
        harness.stall(until: 50)
        harness.receive(#"{"ts": 1700000000020}"#)
        let first = try #require(harness.engine.snapshot.latency)
        #expect(first.raw == 30_000_000 && first.offset == nil)
        harness.receive(#"{"ts": "soon"}"#)
        #expect(harness.engine.totals.timestamps == 1)
        harness.run(until: 10_000)
        harness.stall(until: 10_040)
        harness.receive("pong")
        harness.receive(#"{"ts": 1700000010000}"#)
        // The fastest message took half of the round trip of 40 ms, so the clocks differ by 10 ms.
        let second = try #require(harness.engine.snapshot.latency)
        #expect(second.raw == 40_000_000 && second.offset == 10_000_000)
        harness.end()
        harness.open()
        #expect(harness.engine.snapshot.latency == nil)
    }

    // MARK: Nothing to do

    @Test func withoutRulesAndPingsOnlyTheServersPingsAreHeartbeats() throws {
        let harness = EngineHarness(nil)
        harness.receive("data")
        harness.receivePing([1])
        harness.receivePong([])
        harness.receivePart()
        harness.run(until: 100_000)
        harness.end()
        #expect(harness.takeNotes() == ["0 received ping", "0 responded ping onTarget"])
        #expect(harness.takeSent() == [])
        #expect(harness.engine.deadline == nil)
    }
}
