import CHeartwire
import CSystem
import Heartbeat
import WebSocket

/// A bounded queue of messages and events between the I/O thread and whoever takes them: the host, or the dispatcher on its behalf.
///
/// Memory comes in segments that are filled once and given back when taken, so an idle inbox holds none, and what was handed out stays where
/// it is until the next take.
final class Inbox: @unchecked Sendable {
    enum Overflow: Int {
        case pause = 0
        case dropOldest = 1
        case dropNewest = 2
        case close = 3
    }

    struct Limits {
        let messagesMax: Int
        let bytesMax: Int
        let overflow: Overflow

        init(_ settings: Config.Settings) {
            messagesMax = Int(clamping: settings.number(.inboxMessagesMax))
            bytesMax = Int(clamping: settings.number(.inboxBytesMax))
            overflow = Overflow(rawValue: settings.choice(.inboxOverflow)) ?? .pause
        }
    }

    /// What a push found out.
    struct Pushed {
        /// The inbox had been empty: whoever takes from it must be told.
        var wasEmpty = false
        /// The limit is reached: stop reading until `Connection.inboxHasRoom` is called.
        var mustPause = false
        /// The limit is reached and the connection is to be closed.
        var mustClose = false
        /// The inbox was released.
        var isRefused = false
        var dropped: UInt64 = 0
    }

    private struct Report {
        let event: UnsafeMutablePointer<hw_event>
        let owner: OpaquePointer?
    }

    enum Taken {
        case deliveries(Int)
        case timeout
        case released
    }

    let limits: Limits
    private let lock = Lock()
    private let arrived: Condition
    private var segments: [InboxSegment] = []
    /// Handed out with the last take; freed with the next.
    private var borrowed: [InboxSegment] = []
    private var messages = 0
    private var events = 0
    private var bytes = 0
    private var waiters = 0
    private var fd: Int32 = -1
    /// Handles whose last event has been handed out. Those of a listener's clients end when the host comes back for more.
    private var ended: [OpaquePointer] = []
    private var isReleased = false
    private var isStopped = false
    private var paused: [Connection] = []
    /// Reports that have not been taken: what else is dropped, or left untold, of the same connection is added to them.
    private var reports: [Report] = []
    /// The latest outcome that has not been taken: one that goes on where it ends is added to it.
    private var lastOutcome: Report?

    /// A stuck host must not make events pile up without end either. Beyond a quarter of this number heartbeats that went well are left
    /// out, and outcomes are not told one by one; beyond half of it all events are left out but those that tell of a connection's life,
    /// beyond the whole all but the last one of each connection.
    private static let eventsMax = 65536

    private static let smallArenaSize = 2048
    private static let smallRecordsMax = 16

    init(_ limits: Limits) {
        self.limits = limits
        arrived = Condition(lock)
    }

    deinit {
        if fd >= 0 { close(fd) }
    }

    // MARK: Filling

    @_optimize(speed)
    func push(_ batch: UnsafeBufferPointer<Message>, _ origin: DeliveryOrigin, from connection: Connection) -> Pushed {
        lock.withLock { () -> Pushed in
            var result = Pushed()
            guard !isReleased else { return result }
            let before = messages + events
            for message in batch {
                if isFull(adding: message.payload.count) && !makeRoom(message.payload.count, &result) {
                    if result.mustClose { break }
                    continue
                }
                messageSegment(message.payload.count).append(message, origin)
                messages &+= 1
                bytes &+= message.payload.count
            }
            if limits.overflow == .pause && (messages >= limits.messagesMax || bytes >= limits.bytesMax) {
                result.mustPause = true
                // The connection may have been paused by an earlier batch of the same read.
                if !connection.isReadingPaused { paused.append(connection) }
            }
            announce(before, &result)
            return result
        }
    }

    /// `isLast` marks the connection's last event, which is kept whatever the limits say.
    func push(_ record: EventRecord, _ origin: DeliveryOrigin, isLast: Bool) -> Pushed {
        lock.withLock { () -> Pushed in
            var result = Pushed()
            result.isRefused = isReleased
            guard !isReleased, !joinsReport(record, origin), !joinsLastOutcome(record, origin) else { return result }
            let before = messages + events
            if isLast || events < eventsLimit(record) {
                append(record, origin)
            } else if record.isOutcome, !joinsUntold(record, origin) {
                append(record.untold, origin)
            }
            announce(before, &result)
            return result
        }
    }

    @_optimize(speed)
    private func isFull(adding size: Int) -> Bool {
        messages >= limits.messagesMax || (size > limits.bytesMax &- bytes && messages > 0)
    }

    /// Applies the overflow policy; true if the new message is to be taken in.
    private func makeRoom(_ size: Int, _ result: inout Pushed) -> Bool {
        switch limits.overflow {
        case .pause:
            return true
        case .dropNewest:
            result.dropped += 1
            return false
        case .close:
            result.mustClose = true
            return false
        case .dropOldest:
            while isFull(adding: size), let index = segments.firstIndex(where: { $0.hasMessages }),
                let freed = segments[index].dropOldestMessage()
            {
                messages -= 1
                bytes -= freed
                result.dropped += 1
                if segments[index].live == 0 && index < segments.count - 1 { discardSegment(at: index) }
            }
            return true
        }
    }

    /// Frees a segment in which everything was taken or dropped. One that was taken from may still be looked at: it stays until the next
    /// take.
    private func discardSegment(at index: Int) {
        let segment = segments.remove(at: index)
        if segment.taken > 0 { borrowed.append(segment) } else { SegmentPool.shared.give([segment]) }
    }

    private func eventsLimit(_ record: EventRecord) -> Int {
        record.tellsOfLife ? Self.eventsMax : Self.eventsMax / (record.isRoutine || record.isOutcome ? 4 : 2)
    }

    private func append(_ record: EventRecord, _ origin: DeliveryOrigin) {
        let report = Report(event: eventSegment(InboxSegment.size(record)).append(record, origin), owner: origin.handle)
        events += 1
        if record.tellsOfDrops || record.isUntold {
            reports.append(report)
        } else if record.isOutcome {
            lastOutcome = report
        }
    }

    /// The report of this kind that waits for the connection's host.
    private func report(_ record: EventRecord, _ origin: DeliveryOrigin) -> UnsafeMutablePointer<hw_event>? {
        reports.first { $0.owner == origin.handle && $0.event.pointee.kind == record.event.kind }?.event
    }

    /// Adds to a report of dropped messages that is still waiting, so that a stuck host finds one and not thousands.
    private func joinsReport(_ record: EventRecord, _ origin: DeliveryOrigin) -> Bool {
        guard record.tellsOfDrops, let report = report(record, origin) else { return false }
        report.pointee.count &+= record.event.count
        return true
    }

    /// Adds to the outcome before, if this one is its continuation, so that a host that is behind finds few of them.
    private func joinsLastOutcome(_ record: EventRecord, _ origin: DeliveryOrigin) -> Bool {
        guard record.isOutcome, let lastOutcome, lastOutcome.owner == origin.handle else { return false }
        let (last, next) = (lastOutcome.event.pointee, record.event)
        guard last.message_id &+ last.count == next.message_id, last.level == next.level, last.epoch == next.epoch else { return false }
        lastOutcome.event.pointee.count &+= next.count
        return true
    }

    /// Widens the stretch of messages that the host has to ask about, if there is one already.
    private func joinsUntold(_ record: EventRecord, _ origin: DeliveryOrigin) -> Bool {
        guard let report = report(record, origin) else { return false }
        let end = max(report.pointee.message_id &+ report.pointee.count, record.event.message_id &+ record.event.count)
        report.pointee.message_id = min(report.pointee.message_id, record.event.message_id)
        report.pointee.count = end &- report.pointee.message_id
        return true
    }

    private func announce(_ before: Int, _ result: inout Pushed) {
        guard before == 0 && messages + events > 0 else { return }
        result.wasEmpty = true
        if fd >= 0 { hws_eventfd_set(fd) }
        if waiters > 0 { arrived.wake() }
    }

    /// The segment that the next message goes to. Small while little comes, so that a quiet connection holds a few kilobytes at most.
    @_optimize(speed)
    private func messageSegment(_ size: Int) -> InboxSegment {
        if let last = segments.last, !last.holdsEvents, last.hasRoom(size) { return last }
        let isQuiet = size <= Self.smallArenaSize && messages < Self.smallRecordsMax
        let segment =
            isQuiet
            ? InboxSegment(recordsMax: Self.smallRecordsMax, arenaSize: Self.smallArenaSize)
            : SegmentPool.shared.take(size)
        segments.append(segment)
        return segment
    }

    /// Events have small segments of their own: they are never dropped, and must not keep the memory of dropped messages alive.
    private func eventSegment(_ size: Int) -> InboxSegment {
        if let last = segments.last, last.holdsEvents, last.hasRoom(size) { return last }
        let segment = InboxSegment(recordsMax: Self.smallRecordsMax, arenaSize: max(size, Self.smallArenaSize), holdsEvents: true)
        segments.append(segment)
        return segment
    }

    // MARK: Taking

    /// Takes what is there, waiting for it until the deadline if need be.
    func take(into target: UnsafeMutablePointer<hw_delivery>, capacity: Int, until deadline: Instant?) -> Taken {
        var resumable: [Connection] = []
        let result = lock.withLock { () -> Taken in
            freeBorrowed()
            while messages + events == 0 {
                if isReleased { return .released }
                if isStopped { return .timeout }
                if let deadline, Clock.now() >= deadline { return .timeout }
                waiters += 1
                _ = arrived.wait(until: deadline)
                waiters -= 1
            }
            if isReleased { return .released }
            let count = fill(target, capacity)
            if messages + events == 0 && fd >= 0 { hws_eventfd_clear(fd) }
            if !paused.isEmpty && messages <= limits.messagesMax / 2 && bytes <= limits.bytesMax / 2 {
                swap(&resumable, &paused)
            }
            return .deliveries(count)
        }
        for connection in resumable { connection.inboxHasRoom() }
        return result
    }

    /// What the last take handed out is not looked at any more.
    func giveBack() {
        lock.withLock { freeBorrowed() }
    }

    private func freeBorrowed() {
        SegmentPool.shared.give(borrowed)
        borrowed.removeAll()
    }

    @_optimize(speed)
    private func fill(_ target: UnsafeMutablePointer<hw_delivery>, _ capacity: Int) -> Int {
        var count = 0
        while count < capacity, let segment = segments.first {
            while count < capacity && !segment.isExhausted {
                guard let record = segment.take() else { continue }
                (target + count).initialize(to: record)
                count &+= 1
                if record.event == nil {
                    messages &-= 1
                    bytes &-= record.message.size
                } else {
                    events &-= 1
                    forgetReport(record.event)
                    noteEnd(record)
                }
            }
            if segment.isExhausted { borrowed.append(segments.removeFirst()) }
        }
        return count
    }

    private func noteEnd(_ record: hw_delivery) {
        guard let event = record.event, event.pointee.kind == hw_event_kind(HW_EVENT_RELEASED), let handle = record.connection else {
            return
        }
        ended.append(handle)
    }

    /// The handles whose last event the host has seen, once each.
    func takeEnded() -> [OpaquePointer] {
        lock.withLock {
            defer { ended = [] }
            return ended
        }
    }

    private func forgetReport(_ event: UnsafePointer<hw_event>?) {
        if let last = lastOutcome, UnsafePointer(last.event) == event { lastOutcome = nil }
        if let index = reports.firstIndex(where: { UnsafePointer($0.event) == event }) { reports.remove(at: index) }
    }

    var hasDeliveries: Bool { lock.withLock { messages + events > 0 } }

    /// The descriptor to poll, made on first use; -1 if none can be made.
    var eventDescriptor: Int32 {
        lock.withLock { () -> Int32 in
            if fd < 0 {
                fd = hws_eventfd()
                if fd >= 0 && messages + events > 0 { hws_eventfd_set(fd) }
            }
            return fd
        }
    }

    /// The library fills nothing more: taking does not wait any longer.
    func stop() {
        lock.withLock {
            isStopped = true
            arrived.wake()
        }
    }

    /// Nothing is taken in or given out any more. What nobody will hear of has ended too.
    func release() {
        var resumable: [Connection] = []
        lock.withLock {
            isReleased = true
            for segment in segments {
                while !segment.isExhausted {
                    if let record = segment.take() { noteEnd(record) }
                }
            }
            segments.removeAll()
            borrowed.removeAll()
            (messages, events, bytes) = (0, 0, 0)
            reports.removeAll()
            lastOutcome = nil
            swap(&resumable, &paused)
            arrived.wake()
        }
        for connection in resumable { connection.inboxHasRoom() }
    }
}
