import CHeartwire
import Session
import Testing

@testable import Heartwire

/// Outcomes of messages in an inbox that is taken from too slowly.
struct InboxOutcomeTests {
    /// An outcome as an event tells it.
    private struct Told: Equatable {
        let messages: ClosedRange<UInt64>
        let outcome: Outcome?
    }

    private func push(
        _ messages: ClosedRange<UInt64>, _ outcome: Outcome, epoch: UInt64 = 1, handle: UInt = 1, to fixture: InboxFixture
    ) {
        let origin = DeliveryOrigin(handle: OpaquePointer(bitPattern: handle), context: nil, epoch: epoch, receivedNs: 5)
        let stretch = OutcomeStretch(first: messages.lowerBound, last: messages.upperBound, outcome: outcome)
        _ = fixture.inbox.push(event(.outcome(stretch), epoch: epoch), origin, isLast: false)
    }

    private func take(outcomesOf fixture: InboxFixture, _ capacity: Int = 100_000) -> [Told] {
        let target = UnsafeMutablePointer<hw_delivery>.allocate(capacity: capacity)
        defer { target.deallocate() }
        guard case .deliveries(let count) = fixture.inbox.take(into: target, capacity: capacity, until: Clock.now()) else { return [] }
        return (0..<count).compactMap { target[$0].event?.pointee }.filter { $0.kind == hw_event_kind(HW_EVENT_OUTCOME) }.map {
            Told(messages: $0.message_id...($0.message_id + $0.count - 1), outcome: Outcome(rawValue: UInt8($0.level)))
        }
    }

    @Test func outcomesThatWaitAreJoinedByThoseThatGoOn() throws {
        let fixture = try InboxFixture()
        push(1...1, .sent, to: fixture)
        fixture.push("between")
        push(2...4, .sent, to: fixture)
        #expect(take(outcomesOf: fixture) == [Told(messages: 1...4, outcome: .sent)])
        // It has been taken, so this is another one.
        push(5...5, .sent, to: fixture)
        push(6...6, .expired, to: fixture)
        push(8...8, .expired, to: fixture)
        push(9...9, .expired, epoch: 2, to: fixture)
        push(10...10, .expired, handle: 3, to: fixture)
        #expect(
            take(outcomesOf: fixture) == [
                Told(messages: 5...5, outcome: .sent), Told(messages: 6...6, outcome: .expired), Told(messages: 8...8, outcome: .expired),
                Told(messages: 9...9, outcome: .expired), Told(messages: 10...10, outcome: .expired),
            ])
    }

    @Test func aHostThatTakesNothingFindsOneEventForAllThatGoesWell() throws {
        let fixture = try InboxFixture()
        for id in UInt64(1)...100_000 { push(id...id, .sent, to: fixture) }
        #expect(take(outcomesOf: fixture) == [Told(messages: 1...100_000, outcome: .sent)])
    }

    /// Nothing gets lost without a word: what is not told is named, for each connection, until that has been taken.
    @Test func outcomesBeyondTheLimitAreToBeAskedFor() throws {
        let fixture = try InboxFixture()
        let told = (0..<16384).map { Told(messages: (2 * $0 + 10)...(2 * $0 + 10), outcome: .sent) }
        for outcome in told { push(outcome.messages, .sent, to: fixture) }
        let last = told[16383].messages.lowerBound
        // The latest still grows; others find no room, which later ones may be far before.
        push((last + 1)...(last + 1), .sent, to: fixture)
        push((last + 5)...(last + 6), .expired, to: fixture)
        push((last + 90)...(last + 91), .dropped, to: fixture)
        push(3...3, .cancelled, to: fixture)
        push(7...7, .sent, handle: 3, to: fixture)
        // It leaves room for what else happens.
        fixture.push(.writable)
        #expect(take(outcomesOf: fixture, 16383) == Array(told[..<16383]))
        push(9...9, .sent, to: fixture)
        #expect(
            take(outcomesOf: fixture) == [
                Told(messages: last...(last + 1), outcome: .sent), Told(messages: 3...(last + 91), outcome: .pending),
                Told(messages: 7...7, outcome: .pending), Told(messages: 9...9, outcome: .sent),
            ])
    }
}
