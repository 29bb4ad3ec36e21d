import Heartbeat
import Session
import Testing
import WebSocket

struct SessionRotationTests {
    @Test func opensTheNewConnectionBeforeItClosesTheOld() throws {
        let harness = SessionHarness.connected()
        harness.rotate()
        #expect(harness.isTransportOpen(.first) && harness.isTransportOpen(.second))
        harness.openTransport()
        harness.acceptHandshake()
        #expect(harness.takeEvents() == ["rotation started 1", "opened 2", "rotation switched 2"])
        #expect(harness.session.epoch == 2)
        #expect(harness.state == .connected)
        harness.retire()
        #expect(harness.takeEvents() == ["closed 1000", "rotation finished 1"])
        #expect(!harness.isTransportOpen(.first) && harness.isTransportOpen(.second))
        #expect(harness.metrics.rotations == 1)
        #expect(harness.metrics.reconnections == 0)
    }

    @Test func needsTheSecondPlaceForRotationsOnly() {
        let harness = SessionHarness.connected()
        harness.close()
        harness.receiveClose(1000)
        harness.endTransport()
        #expect(harness.state == .disconnected)
        #expect(harness.outboxes.existing(.second) == nil)
        let rotating = SessionHarness.connected()
        rotating.rotate()
        rotating.openTransport()
        #expect(rotating.outboxes.existing(.second) != nil)
    }

    @Test func deliversWhatTheOldConnectionStillSends() {
        let harness = SessionHarness.connected()
        harness.changeOver()
        harness.receive(.text, bytes("new"))
        harness.place = .first
        harness.receive(.text, bytes("late"))
        harness.retire()
        #expect(harness.received == [bytes("new"), bytes("late")])
    }

    @Test func sendsByOneConnectionAtATimeAndLosesNothing() throws {
        let harness = SessionHarness.connected()
        harness.send(bytes("one"))
        harness.rotate()
        harness.send(bytes("two"))
        harness.openTransport()
        harness.acceptHandshake()
        harness.send(bytes("three"))
        let old = try SessionHarness.frames(harness.streams[0]).frames
        let new = try SessionHarness.frames(harness.streams[1]).frames
        #expect(old.map { $0.payload } == [bytes("one"), bytes("two"), CloseFrame(code: 1000, reason: []).payload])
        #expect(new.map { $0.payload } == [bytes("three")])
    }

    @Test func waitsForWhatHasBegunOnTheOldConnection() throws {
        let harness = SessionHarness.connected()
        harness.isWritable = false
        harness.send([UInt8](repeating: 0x61, count: 2500))
        harness.send(bytes("next"))
        harness.flush(limit: 1500)
        harness.rotate()
        harness.isWritable = true
        harness.openTransport()
        harness.acceptHandshake()
        let old = try SessionHarness.frames(harness.streams[0]).frames
        let new = try SessionHarness.frames(harness.streams[1]).frames
        var big = 0
        for frame in old.dropLast() { big += frame.payload.count { $0 == 0x61 } }
        #expect(big == 2500)
        let sent = (old.dropLast() + new).map { $0.payload }
        #expect(sent.count { $0 == bytes("next") } == 1)
    }

    @Test func givesUpAnOldConnectionThatTakesNothing() throws {
        let harness = SessionHarness.connected()
        harness.isWritable = false
        harness.send(bytes("stuck"))
        harness.flush(limit: 3)
        harness.rotate()
        harness.step { harness.session.transportOpened(.second, SessionHarness.nonce, unixTime: 0, &harness.outboxes) }
        harness.acceptHandshake()
        #expect(harness.takeEvents() == ["rotation started 1", "opened 2"])
        harness.advance(.seconds(5))
        harness.isWritable = true
        harness.settle()
        #expect(harness.takeEvents() == ["closed 1006 (lost)", "rotation switched 2", "rotation finished 1", "gap of 5000 ms, 0 in doubt"])
        #expect(try SessionHarness.frames(harness.streams[1]).frames.map { $0.payload } == [bytes("stuck")])
    }

    @Test func staysWithTheOldConnectionWhileTheNewOneFails() {
        let harness = SessionHarness.connected()
        harness.rotate()
        harness.endTransport(.connect)
        #expect(harness.takeEvents() == ["rotation started 1", "attempt 1 failed (connect)", "rotation failed 1 (connect)"])
        #expect(harness.state == .connected)
        #expect(harness.isTransportOpen(.first) && !harness.isTransportOpen(.second))
        harness.runToDeadline()
        #expect(harness.isTransportOpen(.second))
        harness.openTransport()
        harness.acceptHandshake()
        #expect(harness.takeEvents() == ["opened 2", "rotation switched 2"])
    }

    @Test func triesNoMoreAfterARefusalThatIsFinal() {
        let harness = SessionHarness.connected()
        harness.rotate()
        harness.openTransport()
        harness.answer("HTTP/1.1 401 No\nContent-Length: 0\n\n")
        #expect(harness.takeEvents().last == "rotation failed 1 (status 401 )")
        harness.run(.seconds(60))
        #expect(harness.transportsOpened == 2)
        #expect(harness.state == .connected)
    }

    @Test func goesOnWithTheAttemptIfTheOldConnectionIsLost() throws {
        let harness = SessionHarness.connected()
        harness.rotate()
        harness.openTransport()
        harness.place = .first
        harness.endTransport()
        harness.send(bytes("kept"))
        #expect(
            harness.takeEvents() == [
                "rotation started 1", "closed 1006 (lost)", "rotation failed 1 (lost)", "state reconnecting (lost)",
            ])
        harness.place = .second
        harness.acceptHandshake()
        #expect(harness.takeEvents() == ["opened 2", "state connected", "gap of 0 ms, 0 in doubt"])
        #expect(try harness.sentFrames().map { $0.payload } == [bytes("kept")])
        #expect(harness.transportsOpened == 2)
    }

    @Test(arguments: [false, true]) func closesWhenAskedInMidRotation(isStanding: Bool) {
        let harness = SessionHarness.connected()
        harness.rotate()
        harness.openTransport()
        if isStanding { harness.acceptHandshake() }
        harness.close()
        harness.retire()
        if isStanding { harness.retire(.second) }
        #expect(harness.state == .disconnected)
        #expect(!harness.isTransportOpen(.first) && !harness.isTransportOpen(.second))
        #expect(harness.takeEvents().last == "state disconnected")
    }

    @Test func doesNothingWithoutAConnectionOrTwice() {
        let harness = SessionHarness()
        harness.start()
        harness.step { harness.session.rotate(harness.now) }
        #expect(harness.transportsOpened == 1)
        harness.connect()
        harness.rotate()
        harness.step { harness.session.rotate(harness.now) }
        #expect(harness.transportsOpened == 2)
    }

    @Test(arguments: UInt64(1)...20) func rotatesAtItsAge(seed: UInt64) throws {
        let harness = SessionHarness(seed: seed) {
            $0.rotateAfter = .seconds(1000)
            $0.heartbeat.ping = nil
        }
        harness.connect()
        let due = try #require(harness.deadline) - harness.now
        #expect(due >= .seconds(950) && due <= .seconds(1000))
        harness.runToDeadline()
        #expect(harness.takeEvents().last == "rotation started 1")
        harness.place = .second
        harness.openTransport()
        harness.acceptHandshake()
        harness.retire()
        let next = try #require(harness.deadline) - harness.now
        #expect(next >= .seconds(950) && next <= .seconds(1000))
    }

    @Test func theThirdConnectionTakesTheFirstPlaceAgain() {
        let harness = SessionHarness.connected()
        for round in 2...5 {
            let (old, new): (LinkPlace, LinkPlace) = round.isMultiple(of: 2) ? (.first, .second) : (.second, .first)
            harness.step { harness.session.rotate(harness.now) }
            harness.place = new
            harness.openTransport()
            harness.acceptHandshake()
            #expect(harness.session.epoch == UInt64(round))
            harness.retire(old)
        }
        #expect(harness.metrics.rotations == 4)
    }

    @Test func proofOfArrivalCountsWhatIsInDoubt() {
        let harness = SessionHarness { $0.heartbeat.ping = .init(interval: .seconds(10), timeout: .seconds(5), missedMax: 2) }
        harness.connect()
        harness.send(bytes("before"))
        harness.run(.seconds(10))
        let ping = (try? harness.sentFrames().last?.payload) ?? []
        harness.receive(.pong, ping)
        harness.send(bytes("after"))
        harness.send(bytes("after"))
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        #expect(harness.takeEvents().last?.hasSuffix("2 in doubt") == true)
    }
}
