import Heartbeat
import WebSocket

/// Messages that leave the queue unsent, and what became of each.
extension MessageQueue {
    package enum Cancellation: Equatable {
        case cancelled
        /// Its outcome stands, or some of it is on the wire.
        case tooLate
        /// No message has this number.
        case unknown
    }

    /// Void places and bytes that may be there besides as many as wait.
    private static let voidEntriesMin = 64
    private static let voidBytesMin = 4096

    /// What became of the message `id`; nil if there was none, or if it is forgotten.
    package func outcome(of id: UInt64) -> Outcome? {
        if let outcome = outcomes[id] { return outcome }
        guard let index = index(of: id), !entries[index].isVoid else { return nil }
        return .pending
    }

    package var outcomeCounts: Outcomes.Counts { outcomes.counts }

    /// True if there is something for `takeReports`.
    package var hasReports: Bool { outcomes.hasReports }

    /// The outcomes to report since the last call: of what was not sent, and of what was if that was asked for.
    package mutating func takeReports() -> [OutcomeStretch] { outcomes.takeReports() }

    /// Takes back a message of which nothing is on the wire.
    package mutating func cancel(_ id: UInt64) -> Cancellation {
        guard id > 0 && id <= lastId else { return .unknown }
        guard let index = index(of: id), index >= begunEntries, !entries[index].isVoid else { return .tooLate }
        void(index, .cancelled)
        tidy()
        return .cancelled
    }

    // MARK: Time to live

    /// When to call `expire`; nil if nothing waits that can expire. It may come too early.
    package var nextExpiry: Instant? { deadlines.next }

    /// Messages whose time has run out are void, except those of which something is on the wire: if the connection breaks, they are.
    package mutating func expire(_ now: Instant) {
        guard let next = deadlines.next, next <= now else { return }
        while let id = deadlines.popDue(now) {
            guard let index = index(of: id), entries[index].flags.contains(.isTimed) else { continue }
            if index >= begunEntries {
                void(index, .expired)
            } else {
                entries[index].flags.subtract(.isTimed)
                entries[index].flags.insert(.isOverdue)
                hasBoundEntries = true
                deadlines.forgetOne()
            }
        }
        tidy()
    }

    /// Of the message `lastId`, whose entry follows.
    mutating func addDeadline(_ expiry: Instant) {
        if deadlines.areMostlyStale {
            var awaited = Deadlines()
            for deadline in deadlines.heap {
                if let index = index(of: deadline.id), entries[index].flags.contains(.isTimed) { awaited.add(deadline) }
            }
            deadlines = awaited
        }
        deadlines.add(Deadlines.Deadline(expiry: expiry, id: lastId))
    }

    // MARK: Giving way

    /// Drops the oldest messages that can go until a new one, or a part, of `size` bytes has room. Drops none if it would not have it even so.
    mutating func makeRoom(_ size: Int, isNewMessage: Bool) -> Bool {
        var messagesLacking = isNewMessage ? count &+ 1 &- limits.messagesMax : 0
        var bytesLacking = size &- (limits.bytesMax &- byteCount)
        let start = max(begunEntries, firstIndex(from: firmThrough &+ 1))
        var end = start
        while messagesLacking > 0 || bytesLacking > 0 {
            guard end < entries.count else { return false }
            if canGiveWay(entries[end]) {
                messagesLacking &-= 1
                bytesLacking &-= drafts[entries[end]]?.bytes.count ?? entries[end].size
            }
            end &+= 1
        }
        guard end > start else { return true }
        firmThrough = entries[end &- 1].id
        for index in start..<end where canGiveWay(entries[index]) { void(index, .dropped) }
        tidy()
        return true
    }

    private func canGiveWay(_ entry: QueueEntry) -> Bool {
        entry.flags.isDisjoint(with: [.isVoid, .isTagged]) && drafts[entry]?.isComplete != false
    }

    // MARK: Void entries

    /// The message at `index` is not to be sent. Its place stays until the next call of `tidy` or later.
    mutating func void(_ index: Int, _ outcome: Outcome) {
        let entry = entries[index]
        if entry.flags.contains(.isTimed) { deadlines.forgetOne() }
        if !entry.flags.contains(.isTagged) { outcomes.settle(entry.id, outcome, isReported: true) }
        drafts.remove(entry)
        voidEntries &+= 1
        voidBytes &+= entry.size
        entries[index] = entry.voided
    }

    /// Forgets void entries: those in front at once, and all when there are more of them than of others.
    mutating func tidy() {
        if !hasBegun { removeVoidInFront() }
        if voidEntries > count &+ Self.voidEntriesMin || voidBytes > payloads.count &- voidBytes &+ Self.voidBytesMin { removeVoid() }
    }

    /// Nothing has begun.
    mutating func removeVoidInFront() {
        while !entries.isEmpty && entries[0].isVoid, let entry = entries.popFirst() {
            voidEntries &-= 1
            voidBytes &-= entry.size
            payloads.removeFirst(entry.size)
        }
    }

    private mutating func removeVoid() {
        var kept = ByteQueue()
        var start = 0
        let encodedBefore = encodedEntries
        for index in 0..<entries.count {
            guard let entry = entries.popFirst() else { break }
            let end = start &+ entry.size
            if !entry.isVoid {
                entries.append(entry)
                kept.append(UnsafeRawBufferPointer(rebasing: payloads.bytes[start..<end]))
            } else if index < encodedBefore {
                encodedEntries &-= 1
                encodedBytes &-= entry.size
            }
            start = end
        }
        payloads = kept
        (voidEntries, voidBytes) = (0, 0)
    }
}
