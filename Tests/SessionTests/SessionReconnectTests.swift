/// Failed attempts and lost connections: what is retried, when, and until when.
import Heartbeat
import Session
import Testing
import WebSocket

struct SessionReconnectTests {
    @Test(
        arguments: [
            (.resolve, true), (.connect, true), (.lost, true), (.tls, true), (.system, true), (.certificate, false),
        ] as [(TransportFailure.Kind, Bool)])
    func retriesAFailedTransportUnlessItsCertificateIsBad(kind: TransportFailure.Kind, retries: Bool) {
        let harness = SessionHarness()
        harness.start()
        harness.endTransport(kind)
        let events = harness.takeEvents()
        if retries {
            #expect(events == ["state connecting", "attempt 1 failed (\(kind))", "state reconnecting (\(kind))"])
            #expect(harness.deadline != nil)
        } else {
            #expect(events == ["state connecting", "attempt 1 failed (\(kind)), the last", "state failed (\(kind))"])
            #expect(harness.deadline == nil)
            #expect(harness.send([1]) == .closed)
        }
        #expect(!harness.isTransportOpen)
    }

    @Test(arguments: [
        (200, false), (301, false), (401, false), (404, false), (408, true), (425, true), (429, true), (500, true), (503, true),
    ])
    func reportsARefusalWithItsBody(status: Int, retries: Bool) {
        let harness = SessionHarness()
        harness.start()
        harness.openTransport()
        harness.answer("HTTP/1.1 \(status) No\nContent-Length: 3\n\nwhy")
        let events = harness.takeEvents()
        #expect(events[1].hasPrefix("attempt 1 failed (status \(status) why)"))
        #expect(harness.state == (retries ? .reconnecting : .failed))
    }

    @Test func reportsARefusalWhoseBodyDoesNotEnd() {
        for ending in 0..<2 {
            let harness = SessionHarness()
            harness.start()
            harness.openTransport()
            harness.answer("HTTP/1.1 503 Busy\nContent-Length: 300\n\ncome ba")
            #expect(harness.takeEvents() == ["state connecting"])
            if ending == 0 { harness.endTransport() } else { harness.runToDeadline() }
            #expect(harness.takeEvents().first == "attempt 1 failed (status 503 come ba)")
        }
    }

    /// A changed network has what waits tried at once, but a server that wants to be left alone is left alone.
    @Test func aProbeShortensTheDelayToWhatTheServerAskedFor() {
        let harness = SessionHarness {
            $0.backoff = Backoff.Configuration(base: .seconds(60), cap: .seconds(60), jitter: .none)
        }
        harness.start()
        harness.openTransport()
        harness.answer("HTTP/1.1 503 Busy\nRetry-After: 20\nContent-Length: 0\n\n")
        harness.step { harness.session.probe(harness.now, &harness.outboxes) }
        #expect(harness.transportsOpened == 1)
        harness.run(.seconds(19))
        #expect(harness.transportsOpened == 1)
        harness.run(.seconds(6))
        #expect(harness.transportsOpened == 2)
        harness.endTransport(.connect)
        harness.step { harness.session.probe(harness.now, &harness.outboxes) }
        #expect(harness.transportsOpened == 3)
    }

    @Test func givesUpOnAnInvalidAnswer() {
        let harness = SessionHarness()
        harness.start()
        harness.openTransport()
        harness.answer("HTTP/1.1 101 X\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: wrong\n\n")
        #expect(harness.takeEvents() == ["state connecting", "attempt 1 failed (acceptWrong), the last", "state failed (acceptWrong)"])
    }

    @Test func timesOutAnAttemptAsAWhole() {
        let harness = SessionHarness { $0.connectTimeout = .seconds(3) }
        harness.start()
        harness.advance(.seconds(2))
        harness.openTransport()
        harness.advance(.milliseconds(999))
        #expect(harness.takeEvents() == ["state connecting"])
        harness.advance(.milliseconds(1))
        #expect(harness.takeEvents() == ["attempt 1 failed (handshake timeout)", "state reconnecting (handshake timeout)"])
        harness.runToDeadline()
        harness.advance(.seconds(3))
        #expect(harness.takeEvents() == ["attempt 2 failed (timeout)"])
    }

    @Test func reconnectsAndSendsAgainWhatWasCutShort() throws {
        let harness = SessionHarness()
        harness.connect()
        harness.isWritable = false
        harness.send([UInt8](repeating: 0x61, count: 5))
        harness.send([UInt8](repeating: 0x62, count: 5))
        harness.flush(limit: 12)
        harness.endTransport()
        harness.send([0x63])
        harness.isWritable = true
        harness.runToDeadline()
        harness.connect()
        #expect(try harness.sentFrames().map { $0.payload } == [bytes("bbbbb"), bytes("c")])
        #expect(harness.session.epoch == 2)
        #expect(harness.metrics.reconnections == 1)
        #expect(harness.takeEvents().suffix(3) == ["opened 2", "state connected", "gap of 372 ms, 1 in doubt"])
    }

    @Test func beginsEachConnectionAfresh() {
        let harness = SessionHarness()
        harness.connect()
        harness.receive([0x01, 2, 0x61])
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        harness.receive(.text, bytes("new"))
        #expect(harness.received == [bytes("new")])
        #expect(harness.state == .connected)
    }

    @Test func givesUpAfterSoManyFailuresInARow() {
        let harness = SessionHarness { $0.backoff.attemptsMax = 3 }
        harness.start()
        for _ in 0..<3 {
            harness.endTransport(.connect)
            harness.runToDeadline()
        }
        #expect(
            harness.takeEvents() == [
                "state connecting", "attempt 1 failed (connect)", "state reconnecting (connect)", "attempt 2 failed (connect)",
                "attempt 3 failed (connect), the last", "state failed (connect)",
            ])
        #expect(harness.transportsOpened == 3)
        #expect(harness.metrics.attemptsFailed == 3)
        #expect(harness.metrics.errors == 3)
    }

    @Test func doesNotRetryWhenToldNotTo() {
        let harness = SessionHarness { $0.reconnects = false }
        harness.connect()
        harness.endTransport()
        #expect(harness.takeEvents().suffix(2) == ["closed 1006 (lost)", "state failed (lost)"])
        #expect(harness.deadline == nil)
    }

    /// A connection that breaks at once counts as a failure, so that a server that accepts and drops is not hammered.
    @Test func countsAnUnstableConnectionAsAFailureAndForgetsFailuresAfterAStableOne() {
        let harness = SessionHarness {
            $0.stableAfter = .seconds(10)
            $0.backoff.attemptsMax = 2
        }
        harness.connect()
        harness.advance(.milliseconds(9999))
        harness.endTransport()
        harness.runToDeadline()
        harness.connect()
        harness.advance(.seconds(10))
        harness.endTransport()
        #expect(harness.state == .reconnecting)
        harness.runToDeadline()
        harness.endTransport(.connect)
        #expect(harness.state == .reconnecting)
        harness.runToDeadline()
        harness.connect()
        harness.endTransport()
        #expect(harness.state == .failed)
    }

    @Test func numbersAttemptsFromTheLastEstablishedConnection() {
        let harness = SessionHarness()
        harness.connect()
        harness.endTransport()
        _ = harness.takeEvents()
        for number in 1...3 {
            harness.runToDeadline()
            harness.endTransport(.connect)
            #expect(harness.takeEvents() == ["attempt \(number) failed (connect)"])
        }
    }

    @Test func waitsAsLongAsItSaid() {
        var longest: [Interval] = [.zero, .zero, .zero, .zero]
        for seed in 0..<200 as Range<UInt64> {
            let harness = SessionHarness(seed: seed) { $0.backoff = .init(base: .seconds(1), cap: .seconds(3), attemptsMax: 0) }
            harness.start()
            for (round, ceiling) in [Interval.seconds(1), .seconds(2), .seconds(3), .seconds(3)].enumerated() {
                harness.endTransport(.connect)
                guard case .attemptFailed(_, _, let delay?)? = harness.events.last(where: { $0.summary.hasPrefix("attempt") })?.kind else {
                    Issue.record("no delay")
                    return
                }
                #expect(delay <= ceiling)
                #expect(harness.deadline == harness.now + delay)
                longest[round] = max(longest[round], delay)
                if delay > .zero {
                    harness.advance(Interval(nanoseconds: delay.nanoseconds - 1))
                    #expect(!harness.isTransportOpen)
                }
                harness.runToDeadline()
                #expect(harness.isTransportOpen)
            }
        }
        #expect(longest[0] > .milliseconds(900))
        #expect(longest[1] > .milliseconds(1800))
        #expect(longest[2] > .milliseconds(2700))
    }
}
