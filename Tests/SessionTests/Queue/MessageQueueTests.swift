/// Delivery classes, time to live, overflow, and the outcome of each message.
import Heartbeat
import Testing
import WebSocket

@testable import Session

struct MessageQueueTests {
    private typealias Stretch = OutcomeStretch

    @Test func tellsWhatBecameOfAMessage() {
        let harness = QueueHarness()
        for payload in UInt8(1)...3 { harness.send([payload]) }
        #expect(harness.outcomes(0...4) == [nil, .pending, .pending, .pending, nil])
        #expect(harness.encode() == [[1], [2], [3]])
        #expect(harness.transmit(4) == 1)
        #expect(harness.outcomes(1...3) == [.sent, .pending, .pending])
        harness.endConnection()
        harness.queue.removeAll()
        #expect(harness.outcomes(1...3) == [.sent, .cancelled, .cancelled])
        #expect(harness.takeReports() == [Stretch(first: 2, last: 3, outcome: .cancelled)])
    }

    @Test func reportsWhatWasSentIfAsked() {
        let harness = QueueHarness()
        for payload in UInt8(1)...4 { harness.send([payload], reported: payload != 2) }
        _ = harness.encode()
        harness.transmit()
        #expect(harness.takeReports() == [Stretch(first: 1, last: 1, outcome: .sent), Stretch(first: 3, last: 4, outcome: .sent)])
    }

    // MARK: To be sent now

    /// Wherever the connection breaks, what was to be sent now is not given to the next one.
    @Test(arguments: 0...12) func whatIsToBeSentNowDoesNotOutliveItsConnection(handedOver: Int) {
        let harness = QueueHarness()
        harness.send([1])
        harness.send([2], now: true)
        harness.send([3])
        harness.send([4], now: true)
        _ = harness.encodeFragment()
        _ = harness.encodeFragment()
        harness.transmit(UInt64(handedOver))
        let sent = min(handedOver / 3, 2)
        harness.endConnection()
        #expect(harness.queue.count == [2, 1, 1][sent])
        #expect(harness.encode() == [[[1], [3]], [[3]], [[3]]][sent])
        harness.transmit()
        #expect(harness.outcomes(1...4) == [.sent, sent == 2 ? .sent : .dropped, .sent, .dropped])
        #expect(harness.takeReports().map(\.outcome) == Array(repeating: .dropped, count: sent == 2 ? 1 : 2))
    }

    @Test func whatIsToBeSentNowPassesToAConnectionThatTakesOver() {
        let harness = QueueHarness()
        harness.sendOpening([0])
        harness.send([1], now: true)
        harness.endConnection(isTakenOver: true)
        #expect(harness.encode() == [[1]])
        harness.endConnection()
        #expect(harness.encode() == [])
        #expect(harness.outcome(1) == .dropped)
    }

    /// Half of it is on the old connection's wire: it could arrive twice.
    @Test func whatHasBegunIsNotSentNowByAConnectionThatTakesOver() {
        let harness = QueueHarness()
        harness.send([1, 1], now: true)
        harness.send([2], now: true)
        _ = harness.encodeFragment(sizeMax: 1)
        harness.endConnection(isTakenOver: true)
        #expect(harness.encode() == [[2]])
        #expect(harness.outcomes(1...2) == [.dropped, .pending])
    }

    // MARK: Messages that open a connection

    @Test func openingMessagesHaveNeitherNumberNorOutcomeAndGoWithTheirConnection() {
        let harness = QueueHarness()
        #expect(harness.send([1]) == .accepted(id: 1))
        #expect(harness.sendOpening([2]) == .accepted(id: 0))
        #expect(harness.send([3]) == .accepted(id: 2))
        #expect(harness.encode() == [[1], [2], [3]])
        #expect(harness.transmit(6) == 2)
        harness.sendOpening([4])
        harness.endConnection()
        #expect(harness.queue.count == 1)
        #expect(harness.queue.byteCount == 1)
        #expect(harness.encode() == [[3]])
        #expect(harness.takeReports() == [])
    }

    @Test func openingMessagesNeedRoom() {
        let harness = QueueHarness(messagesMax: 2, bytesMax: 10)
        #expect(harness.sendOpening([UInt8](repeating: 0, count: 11)) == .tooLarge)
        #expect(harness.sendOpening([1]) == .accepted(id: 0))
        #expect(harness.sendOpening([2]) == .accepted(id: 0))
        #expect(harness.sendOpening([3]) == .full)
        harness.queue.seal()
        #expect(harness.sendOpening([4]) == .closed)
    }

    // MARK: Time to live

    @Test func expiresWhatHasNotBegunInTime() {
        let harness = QueueHarness()
        #expect(harness.nextExpiry == nil)
        harness.send([1], expiry: 30)
        harness.send([2], expiry: 10)
        harness.send([3])
        harness.send([4], expiry: 20)
        #expect(harness.nextExpiry == 10)
        harness.expire(9)
        #expect(harness.outcomes(1...4) == [.pending, .pending, .pending, .pending])
        harness.expire(20)
        #expect(harness.outcomes(1...4) == [.pending, .expired, .pending, .expired])
        #expect(harness.nextExpiry == 30)
        #expect(harness.queue.count == 2)
        #expect(harness.queue.byteCount == 2)
        #expect(harness.encode() == [[1], [3]])
        harness.transmit()
        #expect(harness.outcomes(1...4) == [.sent, .expired, .sent, .expired])
        #expect(harness.nextExpiry == nil)
        #expect(harness.queue.outcomeCounts.expired == 2)
    }

    @Test func whatHasBegunExpiresOnlyOnceItsConnectionHasBroken() {
        let harness = QueueHarness()
        harness.send([1, 1], expiry: 10)
        harness.send([2], expiry: 10)
        _ = harness.encodeFragment(sizeMax: 1)
        harness.expire(10)
        #expect(harness.outcomes(1...2) == [.pending, .expired])
        #expect(harness.nextExpiry == nil)
        harness.endConnection()
        #expect(harness.outcomes(1...2) == [.expired, .expired])
        #expect(harness.encode() == [])
        #expect(harness.queue.count == 0)
    }

    @Test func whatWasOverdueButWentIsSent() {
        let harness = QueueHarness()
        harness.send([1], expiry: 10)
        _ = harness.encode()
        harness.expire(10)
        harness.transmit()
        harness.endConnection()
        #expect(harness.outcome(1) == .sent)
        #expect(harness.takeReports() == [])
    }

    @Test func anUnfinishedMessageCanExpire() {
        let harness = QueueHarness(holdsDrafts: true)
        #expect(harness.part([1], expiry: 10) == .accepted(id: 1))
        harness.send([2])
        harness.expire(10)
        #expect(harness.part([1], of: 1, isLast: true) == .unknownMessage)
        #expect(harness.encode() == [[2]])
        #expect(harness.queue.byteCount == 1)
    }

    /// Messages with long times to live leave soon, beside one that stays.
    @Test func deadlinesOfMessagesThatLeftDoNotPileUp() {
        let harness = QueueHarness(holdsDrafts: true)
        harness.part([1], expiry: 1000)
        for _ in 0..<10_000 {
            guard case .accepted(let id) = harness.send([2], expiry: 1000) else { return }
            #expect(harness.cancel(id) == .cancelled)
        }
        #expect(harness.queue.deadlines.heap.count < 200)
        harness.expire(1000)
        #expect(harness.outcome(1) == .expired)
    }

    // MARK: Giving way

    @Test func theOldestGiveWayUntilTheNewOneFits() {
        let harness = QueueHarness(messagesMax: 3, bytesMax: 10, overflow: .dropOldest)
        for size in [4, 3, 3] { harness.send([UInt8](repeating: UInt8(size), count: size)) }
        harness.send([1])
        #expect(harness.outcomes(1...4) == [.dropped, .pending, .pending, .pending])
        harness.send([UInt8](repeating: 9, count: 6))
        #expect(harness.outcomes(1...5) == [.dropped, .dropped, .pending, .pending, .pending])
        harness.send([UInt8](repeating: 10, count: 10))
        #expect(harness.encode() == [[UInt8](repeating: 10, count: 10)])
        #expect(harness.send([UInt8](repeating: 11, count: 11)) == .tooLarge)
        #expect(harness.takeReports() == [Stretch(first: 1, last: 5, outcome: .dropped)])
        #expect(!harness.takeWritable())
    }

    /// Neither what is on the wire gives way, nor what the application has not finished, nor what the library sends.
    @Test func whatHasBegunDoesNotGiveWay() {
        let harness = QueueHarness(messagesMax: 5, overflow: .dropOldest)
        harness.send([1])
        harness.send([2, 2])
        _ = harness.encodeFragment()
        _ = harness.encodeFragment(sizeMax: 1)
        harness.sendOpening([0])
        harness.part([3])
        harness.send([4])
        harness.send([5])
        #expect(harness.outcomes(1...5) == [.pending, .pending, .pending, .dropped, .pending])
        #expect(harness.part([3], of: 3, isLast: true) == .accepted(id: 3))
        harness.send([6])
        #expect(harness.outcomes(3...6) == [.dropped, .dropped, .pending, .pending])
        harness.endConnection()
        harness.send([7])
        harness.send([8])
        #expect(harness.outcomes(1...8) == [.dropped, .pending, .dropped, .dropped, .pending, .pending, .pending, .pending])
        #expect(harness.encode() == [[2, 2], [5], [6], [7], [8]])
    }

    /// It would not have room even if all the others went: nothing is lost for it.
    @Test func nothingGivesWayToWhatHasNoRoomAnyway() {
        let harness = QueueHarness(messagesMax: 10, bytesMax: 10, overflow: .dropOldest)
        harness.part([UInt8](repeating: 1, count: 5))
        harness.send([2])
        harness.send([3])
        #expect(harness.send([UInt8](repeating: 4, count: 6)) == .full)
        #expect(harness.outcomes(2...3) == [.pending, .pending])
        #expect(harness.send([UInt8](repeating: 4, count: 5)) == .accepted(id: 4))
        #expect(harness.outcomes(1...3) == [.pending, .dropped, .dropped])
    }

    @Test func othersGiveWayToAPart() {
        let harness = QueueHarness(bytesMax: 10, overflow: .dropOldest)
        harness.send([UInt8](repeating: 1, count: 4))
        harness.part([UInt8](repeating: 2, count: 4))
        harness.send([UInt8](repeating: 3, count: 2))
        #expect(harness.part([2], of: 2, isLast: true) == .accepted(id: 2))
        #expect(harness.outcomes(1...3) == [.dropped, .pending, .pending])
        #expect(harness.encode() == [[2, 2, 2, 2, 2], [3, 3]])
    }

    /// What gives way behind a message that cannot leave takes no memory for long.
    @Test(arguments: [0, 1000]) func placesOfVoidMessagesDoNotPileUp(size: Int) {
        let harness = QueueHarness(messagesMax: 10, overflow: .dropOldest, holdsDrafts: true)
        harness.part([1])
        for _ in 0..<2000 { harness.send([UInt8](repeating: 2, count: size)) }
        #expect(harness.queue.count == 10)
        #expect(harness.queue.byteCount == 9 * size + 1)
        #expect(harness.queue.entries.count <= 100)
        #expect(harness.queue.payloads.count <= 40 * size)
        #expect(harness.part([], of: 1, isLast: true) == .accepted(id: 1))
        #expect(harness.encode().count == 10)
    }

    /// Among them are places on the wire that were void when it was their turn.
    @Test func placesOfVoidMessagesAreClearedAwayAroundWhatIsOnTheWire() {
        let harness = QueueHarness()
        for payload in UInt8(1)...5 { harness.send([payload, payload]) }
        _ = harness.encodeFragment()
        #expect(harness.cancel(2) == .cancelled)
        _ = harness.encodeFragment()
        _ = harness.encodeFragment(sizeMax: 1)
        for _ in 0..<100 {
            guard case .accepted(let id) = harness.send([0]) else { return }
            #expect(harness.cancel(id) == .cancelled)
        }
        #expect(harness.queue.entries.count < 100)
        #expect(harness.encode() == [[4], [5, 5]])
        #expect(harness.transmit(4) == 1)
        #expect(harness.transmit(4) == 1)
        harness.endConnection()
        #expect(harness.encode() == [[4, 4], [5, 5]])
    }

    // MARK: Taking back

    @Test func takesBackWhatHasNotBegun() {
        let harness = QueueHarness()
        for payload in UInt8(1)...4 { harness.send([payload, payload]) }
        _ = harness.encodeFragment()
        _ = harness.encodeFragment(sizeMax: 1)
        #expect([0, 1, 2, 3, 3, 5].map { harness.cancel($0) } == [.unknown, .tooLate, .tooLate, .cancelled, .tooLate, .unknown])
        #expect(harness.queue.count == 3)
        #expect(harness.queue.byteCount == 6)
        #expect(harness.encode() == [[2], [4, 4]])
        #expect(harness.transmit() == 3)
        #expect(harness.cancel(4) == .tooLate)
        #expect(harness.outcomes(1...4) == [.sent, .sent, .cancelled, .sent])
        #expect(harness.queue.entries.count == 0)
        #expect(harness.queue.payloads.count == 0)
    }

    @Test func takesBackAMessageInParts() {
        let harness = QueueHarness()
        harness.part([1, 2, 3])
        #expect(harness.cancel(1) == .cancelled)
        #expect(harness.part([4], of: 1, isLast: true) == .unknownMessage)
        #expect(harness.queue.byteCount == 0)
        #expect(harness.part([5], isLast: true) == .accepted(id: 2))
        #expect(harness.encode() == [[5]])
        #expect(harness.cancel(2) == .tooLate)
    }

    /// Nothing but what was taken back stood before it.
    @Test func foremostMessageHasRoomOnceThoseBeforeItAreTakenBack() {
        let harness = QueueHarness(bytesMax: 10)
        for payload in UInt8(1)...2 { harness.send([payload]) }
        harness.part([3, 3, 3, 3, 3])
        harness.send([4, 4, 4])
        _ = harness.encodeFragment()
        #expect(harness.cancel(2) == .cancelled)
        harness.transmit()
        #expect(harness.part([3, 3, 3, 3, 3], of: 3, isLast: true) == .accepted(id: 3))
        #expect(harness.encode() == [[UInt8](repeating: 3, count: 10), [4, 4, 4]])
    }

    @Test func makesRoomByTakingBack() {
        let harness = QueueHarness(messagesMax: 2)
        for payload in UInt8(1)...2 { harness.send([payload]) }
        #expect(harness.send([3]) == .full)
        #expect(!harness.takeWritable())
        #expect(harness.cancel(2) == .cancelled)
        #expect(harness.takeWritable())
        #expect(harness.send([3]) == .accepted(id: 3))
        #expect(harness.encode() == [[1], [3]])
    }

    @Test func cancelsWhatIsNotCompleteWhenItCloses() {
        let harness = QueueHarness()
        harness.send([1])
        harness.part([2])
        harness.send([3])
        harness.queue.seal()
        #expect(harness.encode() == [[1], [3]])
        #expect(harness.outcome(2) == .cancelled)
        #expect(harness.transmit() == 2)
        #expect(harness.queue.entries.count == 0)
    }

    /// Each is found by its number, and goes when it is its turn, in time that does not grow with their count.
    @Test func managesManyUnfinishedMessages() {
        let harness = QueueHarness(messagesMax: 20_000)
        for _ in 0..<20_000 { harness.part([1]) }
        for id in (1...20_000).reversed() { #expect(harness.part([2], of: UInt64(id), isLast: true) == .accepted(id: UInt64(id))) }
        #expect(harness.encode() == Array(repeating: [1, 2], count: 20_000))
        #expect(harness.transmit() == 20_000)
    }

    @Test func aPlaceTakesLittleMemory() {
        #expect(MemoryLayout<QueueEntry>.stride == 24)
    }
}
