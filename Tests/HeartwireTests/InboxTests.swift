import CHeartwire
import Glibc
import Heartbeat
import Session
import Testing
import WebSocket

@testable import Heartwire

/// Equal deliveries in a row, so that a test that fails prints a few of them and not all.
private struct Run: Equatable {
    let of: Delivered
    var count: Int
}

private func runs(_ deliveries: [Delivered]) -> [Run] {
    deliveries.reduce(into: []) { runs, delivery in
        if let last = runs.indices.last, runs[last].of == delivery {
            runs[last].count += 1
        } else {
            runs.append(Run(of: delivery, count: 1))
        }
    }
}

/// An inbox, and a connection that fills it.
struct InboxFixture {
    let inbox: Inbox
    let io: IOThread
    let connection: Connection
    private let origin = DeliveryOrigin(handle: nil, context: nil, epoch: 1, receivedNs: 5)

    init(_ properties: [(String, String)] = []) throws {
        inbox = Inbox(Inbox.Limits(try Config(properties).snapshot))
        io = try #require(IOThread())
        connection = try idleConnection(io: io)
    }

    @discardableResult
    func push(_ payloads: [[UInt8]]) -> Inbox.Pushed {
        payloads.withBatch { inbox.push($0, origin, from: connection) }
    }

    @discardableResult
    func push(_ strings: String...) -> Inbox.Pushed { push(strings.map(bytes)) }

    @discardableResult
    func push(_ kind: Event.Kind, isLast: Bool = false) -> Inbox.Pushed {
        inbox.push(event(kind), origin, isLast: isLast)
    }

    @discardableResult
    func push(missed: Int) -> Inbox.Pushed { push(.missed(missed)) }

    @discardableResult
    func push(dropped: UInt64, handle: UInt = 1) -> Inbox.Pushed {
        let origin = DeliveryOrigin(handle: OpaquePointer(bitPattern: handle), context: nil, epoch: 1, receivedNs: 5)
        return inbox.push(event(.messagesDropped(dropped)), origin, isLast: false)
    }

    /// What one take gives, without waiting.
    func take(_ capacity: Int = 1000) -> [Delivered] {
        let target = UnsafeMutablePointer<hw_delivery>.allocate(capacity: capacity)
        defer { target.deallocate() }
        guard case .deliveries(let count) = inbox.take(into: target, capacity: capacity, until: Clock.now()) else { return [] }
        return (0..<count).map { Delivered(target[$0]) }
    }

    var isReadable: Bool {
        var poll = pollfd(fd: inbox.eventDescriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 1
    }
}

struct InboxTests {
    @Test func givesMessagesAndEventsInOrder() throws {
        let fixture = try InboxFixture()
        fixture.push("one", "")
        fixture.push(missed: 1)
        fixture.push("two")
        #expect(fixture.take(2) == [.text("one"), .text("")])
        #expect(fixture.take() == [.missed(1), .text("two")])
        #expect(fixture.take() == [])
    }

    @Test func keepsOrderOverManySegments() throws {
        let fixture = try InboxFixture()
        let payloads = (0..<5000).map { bytes("\($0)") + [UInt8](repeating: 0x2E, count: $0 % 300) }
        var taken: [Delivered] = []
        for start in stride(from: 0, to: 5000, by: 100) {
            fixture.push(Array(payloads[start..<start + 100]))
            if start % 700 == 0 { taken += fixture.take(33) }
        }
        fixture.push([[UInt8](repeating: 0x61, count: 1_000_000)])
        while case let more = fixture.take(777), !more.isEmpty { taken += more }
        #expect(taken == (payloads + [[UInt8](repeating: 0x61, count: 1_000_000)]).map { .message(hw_kind(HW_TEXT), $0) })
    }

    /// What was handed out stays as it is until the next take, whatever arrives meanwhile.
    @Test(arguments: [1, 10, 39, 40]) func lendsWhatWasTakenUntilTheNextTake(lent: Int) throws {
        let fixture = try InboxFixture([("inbox.overflow", "drop_oldest"), ("inbox.messages_max", "50")])
        let target = UnsafeMutablePointer<hw_delivery>.allocate(capacity: lent)
        defer { target.deallocate() }
        for round in 0..<10 {
            // Busy enough to be given a segment from the pool.
            fixture.push((0..<40).map { bytes("\(round)-\($0)") + [UInt8](repeating: 0x2E, count: 100) })
            guard case .deliveries(lent) = fixture.inbox.take(into: target, capacity: lent, until: Clock.now()) else {
                Issue.record("nothing to take")
                return
            }
            let before = (0..<lent).map { Delivered(target[$0]) }
            for _ in 0..<30 { fixture.push((0..<200).map { _ in [UInt8](repeating: 0xEE, count: 1000) }) }
            #expect((0..<lent).map { Delivered(target[$0]) } == before)
            while !fixture.take().isEmpty {}
        }
    }

    @Test func tellsWhenItWasEmpty() throws {
        let fixture = try InboxFixture()
        #expect(fixture.push("a").wasEmpty)
        #expect(!fixture.push("b").wasEmpty)
        #expect(!fixture.push(missed: 1).wasEmpty)
        #expect(fixture.inbox.hasDeliveries)
        _ = fixture.take()
        #expect(!fixture.inbox.hasDeliveries)
        #expect(fixture.push(missed: 2).wasEmpty)
    }

    @Test func answersATakeOfNothing() throws {
        let fixture = try InboxFixture()
        let target = UnsafeMutablePointer<hw_delivery>.allocate(capacity: 1)
        defer { target.deallocate() }
        let timeout = if case .timeout = fixture.inbox.take(into: target, capacity: 1, until: Clock.now()) { true } else { false }
        #expect(timeout)
        fixture.inbox.release()
        let released = if case .released = fixture.inbox.take(into: target, capacity: 1, until: nil) { true } else { false }
        #expect(released)
    }

    @Test func takesAndGivesNothingOnceReleased() throws {
        let fixture = try InboxFixture()
        fixture.push("a")
        fixture.inbox.release()
        #expect(!fixture.push("b").wasEmpty)
        #expect(!fixture.push(.released, isLast: true).wasEmpty)
        #expect(fixture.take() == [])
        #expect(!fixture.inbox.hasDeliveries)
    }

    @Test func itsDescriptorIsReadableWhileSomethingWaits() throws {
        let fixture = try InboxFixture()
        fixture.push("before the descriptor exists")
        #expect(fixture.isReadable)
        _ = fixture.take()
        #expect(!fixture.isReadable)
        fixture.push("a", "b")
        #expect(fixture.isReadable)
        _ = fixture.take(1)
        #expect(fixture.isReadable)
        _ = fixture.take(1)
        #expect(!fixture.isReadable)
        fixture.push(missed: 1)
        #expect(fixture.isReadable)
    }

    @Test func aWaitingTakeIsWokenByAPush() async throws {
        let fixture = try InboxFixture()
        let (inbox, taken) = (fixture.inbox, AsyncStream<Int>.makeStream())
        let waiter = Thread.start("hw-test-taker") {
            let target = UnsafeMutablePointer<hw_delivery>.allocate(capacity: 4)
            defer { target.deallocate() }
            if case .deliveries(let count) = inbox.take(into: target, capacity: 4, until: nil) { taken.continuation.yield(count) }
            taken.continuation.finish()
        }
        waiter?.detach()
        #expect(waiter != nil)
        fixture.push("woken")
        var counts: [Int] = []
        for await count in taken.stream { counts.append(count) }
        #expect(counts == [1])
    }
}

struct InboxOverflowTests {
    @Test func pausesAtTheLimitAndTakesEverythingThatCame() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "4")])
        #expect(!fixture.push("1", "2", "3").mustPause)
        #expect(fixture.push("4").mustPause)
        fixture.connection.pauseReading(fixture.connection.channel(.first))
        let over = fixture.push("5", "6")
        #expect(over.mustPause)
        #expect(over.dropped == 0)
        #expect(fixture.take() == ["1", "2", "3", "4", "5", "6"].map(Delivered.text))
    }

    @Test func pausesByBytesToo() throws {
        let fixture = try InboxFixture([("inbox.bytes_max", "10")])
        #expect(!fixture.push("123456789").mustPause)
        #expect(fixture.push("0").mustPause)
    }

    @Test func tellsPausedConnectionsOnceHalfIsTaken() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "4")])
        fixture.push("1", "2", "3", "4")
        _ = fixture.take(1)
        #expect(fixture.io.poller.wait(until: Clock.now()) == 0)
        _ = fixture.take(1)
        // The I/O thread is asked to read on.
        #expect(fixture.io.poller.wait(until: Clock.now()) == 1)
    }

    @Test func tellsPausedConnectionsWhenItIsReleased() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "1")])
        fixture.push("1")
        fixture.inbox.release()
        #expect(fixture.io.poller.wait(until: Clock.now()) == 1)
    }

    @Test func dropsTheNewest() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "3"), ("inbox.overflow", "drop_newest")])
        let pushed = fixture.push("1", "2", "3", "4", "5")
        #expect(pushed.dropped == 2)
        #expect(!pushed.mustPause)
        #expect(!pushed.mustClose)
        fixture.push(missed: 1)
        #expect(fixture.take() == [.text("1"), .text("2"), .text("3"), .missed(1)])
    }

    @Test func dropsTheOldest() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "3"), ("inbox.overflow", "drop_oldest")])
        fixture.push(missed: 1)
        #expect(fixture.push("1", "2", "3", "4", "5").dropped == 2)
        fixture.push(missed: 2)
        #expect(fixture.push("6").dropped == 1)
        #expect(fixture.take() == [.missed(1), .text("4"), .text("5"), .missed(2), .text("6")])
    }

    @Test func dropsByBytesAndKeepsAMessageThatIsAloneTooLarge() throws {
        let oldest = try InboxFixture([("inbox.bytes_max", "10"), ("inbox.overflow", "drop_oldest")])
        #expect(oldest.push("1234", "5678", "90", "abc").dropped == 1)
        #expect(oldest.take() == ["5678", "90", "abc"].map(Delivered.text))
        #expect(oldest.push("x", "y", "twelve bytes").dropped == 2)
        #expect(oldest.take() == [.text("twelve bytes")])
        let newest = try InboxFixture([("inbox.bytes_max", "10"), ("inbox.overflow", "drop_newest")])
        #expect(newest.push("1234", "5678", "901", "ab", "c").dropped == 2)
        #expect(newest.take() == ["1234", "5678", "ab"].map(Delivered.text))
        #expect(newest.push("twelve bytes").dropped == 0)
    }

    @Test func asksForTheConnectionToBeClosed() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "2"), ("inbox.overflow", "close")])
        #expect(!fixture.push("1", "2").mustClose)
        #expect(fixture.push("3").mustClose)
        #expect(fixture.take() == [.text("1"), .text("2")])
    }

    @Test func dropsManyAcrossSegmentsInOrder() throws {
        let fixture = try InboxFixture([("inbox.messages_max", "1500"), ("inbox.overflow", "drop_oldest")])
        var dropped: UInt64 = 0
        for start in stride(from: 0, to: 10_000, by: 250) {
            dropped += fixture.push((start..<start + 250).map { bytes("\($0)") }).dropped
            if start % 1000 == 0 { fixture.push(missed: start) }
            if start == 5000 { #expect(fixture.take(3).first == .missed(0)) }
        }
        #expect(dropped == 10_000 - 1500 || dropped == 10_000 - 1502)
        var messages: [Delivered] = []
        while case let more = fixture.take(100), !more.isEmpty { messages += more.filter { if case .message = $0 { true } else { false } } }
        #expect(messages == (8500..<10_000).map { .text("\($0)") })
    }

    /// A host that takes nothing must cost no more than the limits say, even if events stand among the messages.
    @Test func memoryOfDroppedMessagesIsGivenBack() throws {
        let fixture = try InboxFixture([("inbox.bytes_max", "1MiB"), ("inbox.overflow", "drop_oldest")])
        fixture.push(missed: 1)
        for round in 0..<500 {
            fixture.push((0..<128).map { _ in [UInt8](repeating: 0x61, count: 1000) })
            if round % 50 == 0 { fixture.push(missed: 2) }
        }
        let segments = try #require(Mirror(reflecting: fixture.inbox).descendant("segments") as? [InboxSegment])
        let held = segments.map { $0.arenaSize }.reduce(0, +)
        #expect(held < 8 << 20, "64 MB came through, \(held) bytes are held")
        #expect(fixture.take(1) == [.missed(1)])
    }

    /// A stuck host finds one report of all that was dropped, not one for each read.
    @Test func reportsOfDropsJoinUntilTheyAreTaken() throws {
        let fixture = try InboxFixture([("inbox.overflow", "drop_newest")])
        let report = { (count: UInt64) in Delivered.event(hw_event_kind(HW_EVENT_SLOW_CONSUMER), count: count) }
        #expect(fixture.push(dropped: 2).wasEmpty)
        fixture.push("between")
        for _ in 0..<1000 { #expect(!fixture.push(dropped: 3).wasEmpty) }
        #expect(fixture.take() == [report(3002), .text("between")])
        fixture.push(dropped: 1)
        #expect(fixture.take() == [report(1)])
    }

    @Test func reportsOfDropsAreKeptApartByConnection() throws {
        let fixture = try InboxFixture()
        fixture.push(dropped: 1, handle: 1)
        fixture.push(dropped: 2, handle: 3)
        fixture.push(dropped: 4, handle: 1)
        #expect(fixture.take(1) == [.event(hw_event_kind(HW_EVENT_SLOW_CONSUMER), count: 5)])
        fixture.push(dropped: 7, handle: 1)
        fixture.push(dropped: 8, handle: 3)
        #expect(
            fixture.take() == [
                .event(hw_event_kind(HW_EVENT_SLOW_CONSUMER), count: 10), .event(hw_event_kind(HW_EVENT_SLOW_CONSUMER), count: 7),
            ])
    }

    /// Heartbeats that go well do not crowd out what happens once, such as that there is room to send again.
    @Test func routineEventsLeaveRoomForTheOthers() throws {
        let fixture = try InboxFixture()
        for _ in 0..<40_000 { fixture.push(.heartbeat(HeartbeatNote(.received, .ping))) }
        fixture.push(.writable)
        var taken: [Delivered] = []
        while case let more = fixture.take(), !more.isEmpty { taken += more }
        #expect(
            runs(taken) == [
                Run(of: .event(hw_event_kind(HW_EVENT_HEARTBEAT_RECEIVED), count: 0), count: 16384),
                Run(of: .event(hw_event_kind(HW_EVENT_WRITABLE), count: 0), count: 1),
            ])
    }

    /// Without anyone to take them, beats missed and the like end first, then what tells of a connection's life, and its last event never.
    @Test func keepsTheMostImportantEventsWhenTheyPileUp() throws {
        let fixture = try InboxFixture()
        for _ in 0..<40_000 { fixture.push(missed: 1) }
        for _ in 0..<40_000 { fixture.push(.opened(Agreement(subprotocol: [], compression: nil))) }
        fixture.push(.released, isLast: true)
        var taken: [Delivered] = []
        while case let more = fixture.take(), !more.isEmpty { taken += more }
        #expect(
            runs(taken) == [
                Run(of: .missed(1), count: 32768),
                Run(of: .event(hw_event_kind(HW_EVENT_OPENED), count: 0), count: 32768),
                Run(of: .event(hw_event_kind(HW_EVENT_RELEASED), count: 0), count: 1),
            ])
    }
}
