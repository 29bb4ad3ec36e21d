import Heartbeat
import Session
import Testing
import WebSocket

/// What servers and applications do to rotations that they should not.
struct SessionRotationFaultTests {
    private static let advice = #"{"reconnect": {"on": [{"json": {"/op": "bye"}}], "url": "/url"}}"#

    // MARK: Duplicates

    /// The same numbers come again, long after the connections overlapped, and are no duplicates.
    private func expectNoFilter(_ harness: SessionHarness) {
        harness.run(.seconds(60))
        let before = harness.received.count
        for _ in 0..<2 { harness.receive(.text, bytes(#"{"id": 1}"#)) }
        #expect(harness.received.count == before + 2)
        #expect(harness.metrics.duplicatesDropped == 0)
    }

    private func inItsScript() throws -> SessionHarness {
        let (key, script) = (try DuplicateKey(bytes("/id")), try openingScript([#"{"expect": {"eq": "welcome"}}"#]))
        let harness = SessionHarness.connected {
            $0.duplicateKey = key
            $0.opening = script
            $0.retry.finalCodes = (try? RetryCodes(parsing: bytes("1008"))) ?? RetryCodes()
        }
        harness.receive(.text, bytes("welcome"))
        harness.changeOver()
        harness.place = .first
        harness.receive(.text, bytes(#"{"id": 1}"#))
        return harness
    }

    @Test func noDuplicatesAreSoughtAfterTheNewConnectionWasRefused() throws {
        let harness = try inItsScript()
        harness.retire(.second)
        harness.place = .first
        expectNoFilter(harness)
    }

    @Test func noDuplicatesAreSoughtLongAfterTheOldConnectionWasLost() throws {
        let harness = try inItsScript()
        harness.endTransport()
        harness.place = .second
        harness.receive(.text, bytes("welcome"))
        #expect(harness.state == .connected)
        expectNoFilter(harness)
    }

    // MARK: Advice

    @Test func adviceLeadsToNoPlaceWhereSecretsAreReadable() throws {
        let (secure, rules) = (try URL(parsing: bytes("wss://peer.test/path")), try ruleSet(Self.advice))
        for (advised, expected) in [
            ("ws://other.test", "peer.test"), ("wss://other.test", "other.test"), ("nonsense", "peer.test"),
        ] {
            let harness = SessionHarness.connected {
                $0.url = secure
                $0.heartbeat.rules = rules
            }
            harness.receive(.text, bytes(#"{"op": "bye", "url": "\#(advised)"}"#))
            let target = harness.session.target(of: .second)
            #expect(target.isSecure)
            #expect(target.host.elementsEqual(bytes(expected)))
        }
    }

    @Test func adviceIsNoWayAroundTheServersWishToBeLeftAlone() throws {
        let rules = try ruleSet(Self.advice)
        let harness = SessionHarness.connected { $0.heartbeat.rules = rules }
        harness.rotate()
        harness.openTransport()
        harness.answer("HTTP/1.1 429 No\nRetry-After: 3600\nContent-Length: 0\n\n")
        let refused = harness.now
        for _ in 0..<10 {
            harness.place = .first
            harness.receive(.text, bytes(#"{"op": "bye"}"#))
            harness.run(.seconds(60))
        }
        #expect(harness.transportsOpened == 2)
        while harness.transportsOpened == 2 { harness.runToDeadline() }
        #expect(harness.now - refused >= .seconds(3600))
    }

    @Test func adviceThatComesAgainAndAgainIsFollowedMoreAndMoreSlowly() throws {
        let rules = try ruleSet(Self.advice)
        let harness = SessionHarness.connected {
            $0.heartbeat.rules = rules
            $0.backoff = Backoff.Configuration(base: .seconds(1), cap: .seconds(8), jitter: .none)
        }
        // The connections are younger than reconnect.stable_after.
        var delays: [Int64] = []
        for _ in 0..<5 {
            let (old, opened) = (harness.session.active, harness.transportsOpened)
            harness.place = old
            let advised = harness.now
            harness.receive(.text, bytes(#"{"op": "bye"}"#))
            if harness.transportsOpened == opened { harness.runToDeadline() }
            delays.append((harness.now - advised).nanoseconds / 1_000_000_000)
            harness.place = old.other
            harness.openTransport()
            harness.acceptHandshake()
            harness.retire(old)
        }
        #expect(delays == [0, 2, 4, 8, 8])
        harness.run(.seconds(10))
        let opened = harness.transportsOpened
        harness.place = harness.session.active
        harness.receive(.text, bytes(#"{"op": "bye"}"#))
        #expect(harness.transportsOpened == opened + 1)
    }

    // MARK: An application that is slow

    @Test func theOldConnectionIsNotCutOffWhileItsMessagesAreNotTaken() {
        let harness = SessionHarness.connected()
        harness.changeOver()
        harness.step { harness.session.readingPaused(.first, harness.now) }
        harness.run(.seconds(60))
        #expect(harness.isTransportOpen(.first))
        harness.step { harness.session.readingResumed(.first, harness.now) }
        harness.place = .first
        harness.receive(.text, bytes("late"))
        #expect(harness.received == [bytes("late")])
        harness.run(.seconds(5))
        #expect(!harness.isTransportOpen(.first))
    }

    @Test func norDoesItsTimeToLingerRunMeanwhile() throws {
        let harness = SessionHarness.connected { $0.rotateLinger = .seconds(1) }
        harness.send(bytes("question"))
        harness.step { harness.session.readingPaused(.first, harness.now) }
        harness.changeOver()
        harness.run(.seconds(60))
        #expect(try SessionHarness.frames(harness.streams[0]).frames.contains { $0.opcode == .close } == false)
        harness.step { harness.session.readingResumed(.first, harness.now) }
        harness.run(.seconds(1))
        #expect(try SessionHarness.frames(harness.streams[0]).frames.contains { $0.opcode == .close })
    }

    @Test func theScriptsTimeStandsStillWhileNothingIsRead() throws {
        let script = try openingScript([#"{"expect": {"eq": "welcome"}, "timeout": "2s"}"#])
        let harness = SessionHarness {
            $0.opening = script
            $0.heartbeat.ping = nil
        }
        harness.connect()
        harness.run(.seconds(1))
        harness.step { harness.session.readingPaused(.first, harness.now) }
        harness.run(.seconds(60))
        harness.step { harness.session.readingResumed(.first, harness.now) }
        #expect(harness.deadline == harness.now + .seconds(1))
        harness.receive(.text, bytes("welcome"))
        #expect(harness.state == .connected)
    }

    @Test func aMessageInPartsIsWaitedFor() throws {
        let harness = SessionHarness.connected { $0.closeTimeout = .seconds(1) }
        bytes("first").withUnsafeBytes { _ = harness.outbox.enqueue(.text, part: $0, of: 0, isLast: false) }
        harness.settle()
        harness.changeOver()
        harness.run(.seconds(30))
        #expect(harness.session.epoch == 1)
        #expect(harness.state == .connected)
        bytes("last").withUnsafeBytes { _ = harness.outbox.enqueue(.text, part: $0, of: 1, isLast: true) }
        harness.settle()
        #expect(harness.session.epoch == 2)
        let old = try SessionHarness.frames(harness.streams[0]).frames
        #expect(old.map { $0.payload } == [bytes("first"), bytes("last"), CloseFrame(code: 1000, reason: []).payload])
    }

    @Test func messagesToBeSentNowAreTakenWhileTheOldConnectionFinishes() throws {
        let harness = SessionHarness.connected()
        harness.isWritable = false
        harness.send(bytes("stuck"))
        harness.flush(limit: 3)
        harness.rotate()
        harness.step { harness.session.transportOpened(.second, SessionHarness.nonce, unixTime: 0, &harness.outboxes) }
        harness.acceptHandshake()
        let admission = bytes("now").withUnsafeBytes { harness.outbox.enqueue(.text, $0, SendOptions(isNow: true)) }
        #expect(admission == .accepted(id: 2))
        harness.isWritable = true
        harness.settle()
        #expect(try SessionHarness.frames(harness.streams[1]).frames.map { $0.payload } == [bytes("now")])
    }

    // MARK: Attempts

    @Test func failedRotationsDoNotUseUpTheAttemptsOfReconnecting() {
        let harness = SessionHarness.connected { $0.backoff.attemptsMax = 2 }
        harness.rotate()
        for _ in 0..<2 {
            harness.endTransport(.connect)
            harness.runToDeadline()
        }
        harness.place = .first
        harness.endTransport()
        #expect(harness.state == .reconnecting)
    }

    @Test func aRotationThatFailedForGoodIsFollowedByAnotherAtItsAge() {
        let harness = SessionHarness.connected { $0.rotateAfter = .seconds(100) }
        harness.runToDeadline()
        harness.place = .second
        harness.openTransport()
        harness.answer("HTTP/1.1 404 No\nContent-Length: 0\n\n")
        #expect(harness.takeEvents().last == "rotation failed 1 (status 404 )")
        harness.run(.seconds(90))
        #expect(harness.transportsOpened == 2)
        harness.run(.seconds(10))
        #expect(harness.transportsOpened == 3)
    }

    @Test func aRotationThatIsHeldBackEndsWithItsConnection() {
        let harness = SessionHarness.connected { $0.gate.attemptsPerMinuteMax = 1 }
        let begun = harness.now
        harness.rotate()
        #expect(harness.transportsOpened == 1)
        harness.place = .first
        harness.endTransport()
        let events = harness.takeEvents()
        #expect(events.contains { $0.hasPrefix("rotation failed 1 (lost)") })
        // It has left the line: the next attempt is the first whose turn comes.
        while harness.transportsOpened == 1 { harness.runToDeadline() }
        #expect(harness.now - begun == .seconds(60))
    }
}
