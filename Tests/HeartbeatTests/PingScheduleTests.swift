import Heartbeat
import Testing

struct PingScheduleTests {
    private static let salt: UInt64 = 0xABCD_1234_0000_0000

    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 0) + .milliseconds(milliseconds) }

    /// Opened at 0, a ping each 100 ms.
    private func schedule(timeout: Int64 = 50, missedMax: Int = 2) -> PingSchedule {
        PingSchedule(
            .init(interval: .milliseconds(100), timeout: .milliseconds(timeout), missedMax: missedMax), salt: Self.salt | 0xFFFF,
            opened: at(0))
    }

    private func ping(_ number: UInt64) -> UInt64 { Self.salt | number }

    /// Polls at every deadline up to `end`, and gives what came out with its time in milliseconds.
    private func run(_ pings: inout PingSchedule, until end: Int64) -> [(Int64, PingSchedule.Output)] {
        var outputs: [(Int64, PingSchedule.Output)] = []
        while pings.deadline <= at(end) {
            let now = pings.deadline
            while true {
                let output = pings.poll(now)
                if output == .idle { break }
                outputs.append((now.nanoseconds / 1_000_000, output))
                if case .peerIsGone = output { return outputs }
            }
            guard pings.deadline > now else {
                Issue.record("the deadline did not move on")
                return outputs
            }
        }
        return outputs
    }

    private func expect(
        _ outputs: [(Int64, PingSchedule.Output)], _ expected: [(Int64, PingSchedule.Output)],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outputs.map { $0.0 } == expected.map { $0.0 }, sourceLocation: sourceLocation)
        #expect(outputs.map { $0.1 } == expected.map { $0.1 }, sourceLocation: sourceLocation)
    }

    @Test func sendsTheFirstPingAfterOneInterval() {
        var pings = schedule()
        #expect(pings.deadline == at(100))
        #expect(pings.poll(at(0)) == .idle)
        #expect(pings.poll(at(99)) == .idle)
        #expect(pings.poll(at(100)) == .send(payload: ping(1)))
        #expect(pings.poll(at(100)) == .idle)
    }

    @Test func numbersItsPingsUnderItsOwnSalt() {
        var pings = schedule()
        #expect(pings.poll(at(100)) == .send(payload: ping(1)))
        _ = pings.pongReceived(ping(1), at(101))
        #expect(pings.poll(at(200)) == .send(payload: ping(2)))
    }

    @Test func sendsOnePingAfterAStall() {
        var pings = schedule()
        #expect(pings.poll(at(100)) == .send(payload: ping(1)))
        _ = pings.pongReceived(ping(1), at(101))
        #expect(pings.poll(at(5_050)) == .send(payload: ping(2)))
        #expect(pings.poll(at(5_050)) == .idle)
        #expect(pings.deadline == at(5_100))
    }

    @Test func measuresTheRoundTripOfAMatchingPong() {
        var pings = schedule()
        _ = pings.poll(at(100))
        #expect(pings.pongReceived(ping(1), at(130))?.roundTrip == .milliseconds(30))
        #expect(pings.pongReceived(ping(1), at(140)) == nil)
    }

    @Test(arguments: [0, 1, salt, salt | 2, (salt ^ (1 << 40)) | 1, UInt64.max]) func ignoresPongsThatAnswerNoPing(payload: UInt64) {
        var pings = schedule()
        _ = pings.poll(at(100))
        #expect(pings.pongReceived(payload, at(110)) == nil)
        #expect(pings.poll(at(150)) == .missed(count: 1))
    }

    @Test func aPongStandsForTheEarlierPingsToo() {
        var pings = schedule(timeout: 250, missedMax: 1)
        for time in [100, 200, 300] as [Int64] { _ = pings.poll(at(time)) }
        #expect(pings.pongReceived(ping(2), at(310))?.roundTrip == .milliseconds(110))
        #expect(pings.pongReceived(ping(1), at(311)) == nil)
        // Only the third is outstanding still.
        #expect(pings.deadline == at(400))
        #expect(pings.poll(at(400)) == .send(payload: ping(4)))
        #expect(pings.poll(at(500)) == .send(payload: ping(5)))
        #expect(pings.poll(at(550)) == .peerIsGone(missed: 1))
    }

    @Test func givesThePeerUpAfterEnoughMissesInARow() {
        var pings = schedule()
        expect(
            run(&pings, until: 1000),
            [
                (100, .send(payload: ping(1))), (150, .missed(count: 1)), (200, .send(payload: ping(2))), (250, .peerIsGone(missed: 2)),
            ])
    }

    @Test func aPongEndsTheRowOfMisses() {
        var pings = schedule()
        let last = run(&pings, until: 200).last?.1
        #expect(last == .send(payload: ping(2)))
        _ = pings.pongReceived(ping(2), at(210))
        expect(
            run(&pings, until: 460),
            [
                (300, .send(payload: ping(3))), (350, .missed(count: 1)), (400, .send(payload: ping(4))), (450, .peerIsGone(missed: 2)),
            ])
    }

    @Test func bytesOfAnyKindSettleWhatIsOutstandingAndEndTheRowOfMisses() {
        var pings = schedule()
        let last = run(&pings, until: 200).last?.1
        #expect(last == .send(payload: ping(2)))
        pings.bytesReceived()
        #expect(pings.deadline == at(300))
        expect(
            run(&pings, until: 1000),
            [
                (300, .send(payload: ping(3))), (350, .missed(count: 1)), (400, .send(payload: ping(4))), (450, .peerIsGone(missed: 2)),
            ])
    }

    @Test func aSettledPingStillTellsItsRoundTrip() {
        var pings = schedule()
        _ = pings.poll(at(100))
        pings.bytesReceived()
        #expect(pings.pongReceived(ping(1), at(130))?.roundTrip == .milliseconds(30))
    }

    @Test func anAnswerToAPingThatHadCountedAsMissedIsLate() {
        var pings = schedule()
        expect(run(&pings, until: 200), [(100, .send(payload: ping(1))), (150, .missed(count: 1)), (200, .send(payload: ping(2)))])
        let late = pings.pongReceived(ping(1), at(210))
        #expect(late?.roundTrip == .milliseconds(110) && late?.isLate == true)
        let inTime = pings.pongReceived(ping(2), at(211))
        #expect(inTime?.roundTrip == .milliseconds(11) && inTime?.isLate == false)
    }

    @Test func bytesBeforeAPingDoNotSettleIt() {
        var pings = schedule(missedMax: 1)
        pings.bytesReceived()
        #expect(pings.poll(at(100)) == .send(payload: ping(1)))
        #expect(pings.poll(at(149)) == .idle)
        #expect(pings.poll(at(150)) == .peerIsGone(missed: 1))
    }

    @Test func anyRhythmOfBytesKeepsThePeerAlive() {
        for gap in [10, 33, 99, 149] {
            var pings = schedule(missedMax: 2)
            for time in 1...20_000 {
                if time % gap == 0 { pings.bytesReceived() }
                let output = pings.poll(at(Int64(time)))
                #expect(output != .peerIsGone(missed: 2))
            }
        }
    }

    @Test func countsNothingAsMissedWhileReadingIsPaused() {
        var pings = schedule(missedMax: 1)
        _ = pings.poll(at(100))
        pings.readingPaused(at(110))
        expect(
            run(&pings, until: 400), [(200, .send(payload: ping(2))), (300, .send(payload: ping(3))), (400, .send(payload: ping(4)))])
        pings.readingResumed(at(420))
        #expect(pings.deadline == at(470))
        #expect(pings.poll(at(469)) == .idle)
        #expect(pings.pongReceived(ping(4), at(469))?.roundTrip == .milliseconds(69))
        #expect(pings.poll(at(470)) == .idle)
    }

    @Test func givesOutstandingPingsTheirFullTimeAfterAPause() {
        var pings = schedule(missedMax: 1)
        _ = pings.poll(at(100))
        pings.readingPaused(at(110))
        pings.readingPaused(at(120))
        pings.readingResumed(at(190))
        pings.readingResumed(at(195))
        #expect(pings.poll(at(239)) == .send(payload: ping(2)))
        #expect(pings.poll(at(240)) == .peerIsGone(missed: 1))
    }

    @Test func seesASilentPeerHoweverManyPingsFitIntoTheTimeout() {
        for timeout in [50, 99, 100, 101, 5_000, 6_399, 6_400, 6_500, 20_000, 1_000_000] as [Int64] {
            var pings = schedule(timeout: timeout, missedMax: 2)
            let last = run(&pings, until: 2 * timeout + 10_000).last
            #expect(last?.1 == .peerIsGone(missed: 2), "timeout \(timeout)")
            #expect((last?.0 ?? 0) <= timeout + 300, "timeout \(timeout)")
        }
    }

    @Test func believesASlowPeerThatAnswersEveryPing() {
        var pings = schedule(timeout: 20_000, missedMax: 1)
        var answered = 0
        for time in stride(from: 100, through: 100_000, by: 100) {
            #expect(pings.poll(at(Int64(time))) != .peerIsGone(missed: 1))
            // Each pong takes fifteen seconds.
            let number = time / 100 - 150
            if number > 0, pings.pongReceived(ping(UInt64(number)), at(Int64(time))) != nil { answered += 1 }
        }
        #expect(answered > 10)
    }
}
