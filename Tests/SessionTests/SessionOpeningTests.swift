import Heartbeat
import Session
import Testing
import WebSocket

struct SessionOpeningTests {
    private static let login = [
        #"{"send": {"body": "login"}}"#, #"{"expect": {"json": {"/op": "welcome"}}, "timeout": "2s"}"#, #"{"send": {"body": "ready"}}"#,
    ]

    private func harness(_ steps: [String] = login, _ change: (SessionConfiguration) -> Void = { _ in }) throws -> SessionHarness {
        let script = try openingScript(steps)
        return SessionHarness(seed: 1) {
            $0.opening = script
            change($0)
        }
    }

    private func sent(_ harness: SessionHarness) throws -> [String] {
        try harness.sentFrames().map { String(decoding: $0.payload, as: UTF8.self) }
    }

    private func keep(_ harness: SessionHarness, _ key: String, _ message: String) {
        harness.step {
            bytes(key).withUnsafeBytes { key in
                bytes(message).withUnsafeBytes { message in _ = harness.outboxes.keep(key, .text, message) }
            }
        }
    }

    @Test func scriptThenKeptMessagesThenQueue() throws {
        let harness = try harness()
        harness.start()
        keep(harness, "b", "subscribe b")
        keep(harness, "a", "subscribe a")
        harness.send(bytes("queued"))
        harness.connect()
        #expect(try sent(harness) == ["login"])
        #expect(harness.state == .connecting)
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        #expect(try sent(harness) == ["login", "ready", "subscribe b", "subscribe a", "queued"])
        #expect(harness.takeEvents() == ["state connecting", "opened 1", "state connected"])
        // The application sees what the script expected.
        #expect(harness.received.count == 1)
    }

    @Test func runsOnEveryConnection() throws {
        let harness = try harness()
        harness.connect()
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        keep(harness, "a", "subscribe a")
        keep(harness, "a", "subscribe a2")
        #expect(try sent(harness) == ["login", "ready", "subscribe a", "subscribe a2"])
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        #expect(try sent(harness) == ["login", "ready", "subscribe a2"])
    }

    @Test func whatIsRemovedIsNotSentAgain() throws {
        let harness = try harness([#"{"send": {"body": "hello"}}"#])
        harness.connect()
        keep(harness, "a", "subscribe a")
        harness.step { bytes("a").withUnsafeBytes { _ = harness.outboxes.unkeep($0) } }
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        #expect(try sent(harness) == ["hello"])
    }

    @Test func aMissingAnswerIsAFailedAttempt() throws {
        let harness = try harness()
        harness.connect()
        harness.send(bytes("queued"))
        harness.run(.milliseconds(2100))
        harness.receiveClose(1000)
        harness.endTransport()
        let failure = "(script: step 1 of the opening script: what it expects did not come within 2000 ms)"
        #expect(
            harness.takeEvents() == [
                "state connecting", "opened 1", "closed 1000 \(failure)", "attempt 1 failed \(failure)", "state reconnecting \(failure)",
            ])
        #expect(harness.state == .reconnecting)
        #expect(try sent(harness).contains("queued") == false)
        #expect(harness.metrics.attemptsFailed == 1)
        #expect(harness.outbox.queuedMessages == 1)
    }

    @Test func failedScriptsUseUpTheAttempts() throws {
        let harness = try harness(Self.login) { $0.backoff.attemptsMax = 2 }
        for _ in 0..<2 {
            harness.connect()
            harness.endTransport()
            if harness.state != .failed { harness.runToDeadline() }
        }
        #expect(harness.state == .failed)
    }

    @Test func messagesToBeSentNowAreRefusedUntilItIsDone() throws {
        let harness = try harness()
        harness.connect()
        let options = SendOptions(isNow: true)
        let early = bytes("now").withUnsafeBytes { harness.outbox.enqueue(.text, $0, options) }
        #expect(early == .notConnected)
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        let late = bytes("now").withUnsafeBytes { harness.outbox.enqueue(.text, $0, options) }
        #expect(late == .accepted(id: 1))
    }

    @Test func aRotationRunsItWhileTheOldConnectionDelivers() throws {
        let harness = try harness()
        harness.connect()
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        keep(harness, "a", "subscribe a")
        harness.changeOver()
        harness.send(bytes("by the old one"))
        #expect(try SessionHarness.frames(harness.streams[0]).frames.last?.payload == bytes("by the old one"))
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        harness.send(bytes("by the new one"))
        #expect(try sent(harness) == ["login", "ready", "subscribe a", "by the new one"])
    }

    @Test func aRotationWhoseScriptFailsChangesNothing() throws {
        let harness = try harness()
        harness.connect()
        harness.receive(.text, bytes(#"{"op": "welcome"}"#))
        harness.changeOver()
        harness.run(.milliseconds(2100))
        harness.receiveClose(1000)
        harness.endTransport()
        #expect(harness.state == .connected)
        #expect(harness.session.epoch == 1)
        #expect(harness.takeEvents().contains { $0.hasPrefix("rotation failed") })
    }

    @Test func duplicatesOfAnOverlapAreLeftOut() throws {
        let key = try DuplicateKey(bytes("/id"))
        let harness = SessionHarness(seed: 1) { $0.duplicateKey = key }
        harness.connect()
        harness.receive(.text, bytes(#"{"id": 1}"#))
        harness.changeOver()
        harness.place = .first
        harness.receive(.text, bytes(#"{"id": 2}"#))
        harness.place = .second
        harness.receive(.text, bytes(#"{"id": 2}"#))
        harness.receive(.text, bytes(#"{"id": 3}"#))
        harness.place = .first
        harness.receive(.text, bytes(#"{"id": 3}"#))
        harness.receiveClose(1000)
        harness.endTransport()
        harness.place = .second
        harness.receive(.text, bytes(#"{"id": 2}"#))
        #expect(harness.received.map { String(decoding: $0, as: UTF8.self) } == [1, 2, 3, 2].map { "{\"id\": \($0)}" })
        #expect(harness.metrics.duplicatesDropped == 2)
    }
}
