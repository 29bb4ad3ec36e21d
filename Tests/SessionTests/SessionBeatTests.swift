/// Heartbeats on an open connection: sent on time, and their absence noticed.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionBeatTests {
    private func open(beat: Bool = false) -> SessionHarness {
        let harness = SessionHarness {
            $0.heartbeat.ping = .init(interval: .milliseconds(100), timeout: .milliseconds(50), missedMax: 2)
            if beat { $0.setBeat(every: .milliseconds(70), .text, bytes("beat")) }
        }
        harness.connect()
        _ = harness.takeEvents()
        return harness
    }

    @Test func givesASilentPeerUpAndReconnects() throws {
        let harness = open()
        harness.run(.milliseconds(249))
        #expect(harness.takeEvents() == ["missed 1"])
        #expect(try harness.sentFrames().map { $0.opcode } == [.ping, .ping])
        harness.run(.milliseconds(1))
        #expect(harness.takeEvents() == ["missed 2", "closed 3008 (gone after 2)", "state reconnecting (gone after 2)"])
        #expect(harness.metrics.beatsMissed == 2)
        #expect(harness.metrics.errors == 1)
        #expect(!harness.isTransportOpen)
    }

    @Test func staysWithAPeerThatAnswers() throws {
        let harness = open()
        harness.run(.milliseconds(80))
        for number in 1...50 {
            harness.run(.milliseconds(50))
            let ping = try #require(try harness.sentFrames().last)
            #expect(ping.opcode == .ping)
            harness.receive(.pong, ping.payload)
            harness.run(.milliseconds(50))
            #expect(harness.metrics.pongsReceived == UInt64(number))
        }
        #expect(harness.takeEvents() == [])
        #expect(harness.session.heartbeatSnapshot.roundTrips.last == .milliseconds(30))
        #expect(harness.session.heartbeatSnapshot.roundTrips.meanOfAll == .milliseconds(30))
        #expect(harness.state == .connected)
    }

    @Test func staysWithAPeerThatOnlySendsData() {
        let harness = open()
        for _ in 0..<100 {
            harness.run(.milliseconds(40))
            harness.receive(.text, bytes("tick"))
        }
        #expect(harness.state == .connected)
    }

    @Test func doesNotBlameThePeerWhileReadingIsPaused() throws {
        let harness = open()
        harness.step { harness.session.readingPaused(.first, harness.now) }
        harness.run(.seconds(10))
        #expect(harness.takeEvents() == [])
        #expect(try harness.sentFrames().count == 100)
        harness.step { harness.session.readingResumed(.first, harness.now) }
        harness.run(.milliseconds(49))
        #expect(harness.takeEvents() == [])
        harness.run(.seconds(1))
        #expect(harness.state == .reconnecting)
    }

    @Test func sendsPayloadBeatsBesidePings() throws {
        let harness = open(beat: true)
        harness.run(.milliseconds(210))
        let beats = try harness.sentFrames().filter { $0 == SentFrame(.text, bytes("beat")) }
        #expect(beats.count == 3)
        #expect(try harness.sentFrames().filter { $0.opcode == .ping }.count == 2)
    }

    @Test func takesNoPongOfAnEarlierConnection() throws {
        let harness = open()
        harness.run(.milliseconds(100))
        let old = try #require(try harness.sentFrames().last)
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        harness.run(.milliseconds(100))
        harness.receive(.pong, old.payload)
        #expect(harness.metrics.pongsReceived == 0)
        harness.receive(.pong, try #require(try harness.sentFrames().last).payload)
        #expect(harness.metrics.pongsReceived == 1)
    }

    @Test func measuresEachConnectionAnew() throws {
        let harness = open()
        harness.run(.milliseconds(100))
        harness.receive(.pong, try #require(try harness.sentFrames().last).payload)
        #expect(harness.session.heartbeatSnapshot.roundTrips.count == 1)
        harness.endTransport()
        #expect(harness.session.heartbeatSnapshot.roundTrips.count == 1)
        harness.runToDeadline()
        harness.connect()
        #expect(harness.session.heartbeatSnapshot.roundTrips.count == 0)
        #expect(harness.session.heartbeatSnapshot.roundTrips.last == .zero)
    }
}
