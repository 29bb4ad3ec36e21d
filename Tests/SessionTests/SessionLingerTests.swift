import Heartbeat
import Session
import Testing
import WebSocket

/// After the change over the old connection of a rotation stands for a while, for the answers to what was sent on it last.
struct SessionLingerTests {
    /// A session that has sent a message on its first connection, and has changed over to the second a tenth of a second later.
    private func changedOver(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> SessionHarness {
        let harness = SessionHarness(seed: 1, change)
        harness.connect()
        harness.send(bytes("question"))
        harness.advance(.milliseconds(100))
        harness.changeOver()
        _ = harness.takeEvents()
        return harness
    }

    private func closeFrames(_ harness: SessionHarness, stream: Int) throws -> Int {
        try SessionHarness.frames(harness.streams[stream]).frames.count { $0.opcode == .close }
    }

    @Test func theOldConnectionStandsUntilTheServerHasHadTimeToAnswer() throws {
        let harness = changedOver()
        harness.run(.milliseconds(899))
        #expect(try closeFrames(harness, stream: 0) == 0)
        harness.place = .first
        harness.receive(.text, bytes("answer"))
        #expect(harness.received == [bytes("answer")])
        harness.run(.milliseconds(1))
        #expect(try closeFrames(harness, stream: 0) == 1)
        harness.receiveClose(1000)
        harness.endTransport()
        #expect(harness.takeEvents() == ["closed 1000", "rotation finished 1"])
    }

    @Test func aConnectionThatHadNothingToSendClosesAtOnce() throws {
        let harness = SessionHarness(seed: 1)
        harness.connect()
        harness.changeOver()
        #expect(try closeFrames(harness, stream: 0) == 1)
    }

    @Test func messagesGoByTheNewConnectionMeanwhile() throws {
        let harness = changedOver()
        harness.send(bytes("next"))
        harness.step {
            _ = bytes("channel").withUnsafeBytes { key in
                bytes("subscribe").withUnsafeBytes { harness.outboxes.keep(key, .text, $0) }
            }
        }
        #expect(try SessionHarness.frames(harness.streams[0]).frames.map { $0.payload } == [bytes("question")])
        #expect(try SessionHarness.frames(harness.streams[1]).frames.map { $0.payload } == [bytes("next"), bytes("subscribe")])
    }

    @Test func itIsStillPingedAndItsServerAnswered() throws {
        let harness = changedOver {
            $0.rotateLinger = .seconds(60)
            $0.heartbeat.ping = .init(interval: .seconds(5), timeout: .seconds(5), missedMax: 2)
        }
        harness.run(.seconds(6))
        harness.place = .first
        harness.receive(.ping, bytes("?"))
        let old = try SessionHarness.frames(harness.streams[0]).frames
        #expect(old.count { $0.opcode == .ping } == 1)
        #expect(old.last?.opcode == .pong)
    }

    @Test func whatWasInDoubtWhenItWasLostIsTold() {
        let harness = changedOver()
        harness.place = .first
        harness.endTransport()
        #expect(harness.takeEvents() == ["closed 1006 (lost)", "rotation finished 1, 1 in doubt"])
        #expect(harness.state == .connected)
    }

    @Test func whyItEndsIsToldEvenIfTheSessionEndsFirst() {
        let harness = changedOver { $0.rotateLinger = .seconds(60) }
        harness.place = .first
        harness.receive([0xFF, 0x00])
        harness.place = .second
        harness.receiveClose(1008)
        harness.endTransport()
        #expect(harness.state == .failed)
        #expect(harness.takeEvents().contains("closed 1002 (reservedBits)"))
    }

    @Test func closingDoesNotWaitForIt() throws {
        let harness = changedOver()
        harness.close()
        #expect(try closeFrames(harness, stream: 0) == 1)
        #expect(try closeFrames(harness, stream: 1) == 1)
        harness.receiveClose(1000)
        harness.endTransport()
        #expect(harness.state == .disconnected)
    }

    @Test func itOutlastsTheLossOfTheNewConnection() throws {
        let harness = changedOver { $0.backoff = Backoff.Configuration(base: .seconds(30), cap: .seconds(30), jitter: .none) }
        harness.endTransport()
        #expect(harness.state == .reconnecting)
        harness.place = .first
        harness.receive(.text, bytes("answer"))
        #expect(harness.received == [bytes("answer")])
        harness.run(.milliseconds(900))
        #expect(try closeFrames(harness, stream: 0) == 1)
        // Its server does not answer the close frame, and the next attempt is still far.
        harness.run(.seconds(6))
        #expect(!harness.isTransportOpen(.first))
        #expect(harness.takeEvents().suffix(2) == ["closed 1006 (lost)", "rotation finished 1, 1 in doubt"])
        harness.run(.seconds(30))
        #expect(harness.transportsOpened == 3)
    }
}
