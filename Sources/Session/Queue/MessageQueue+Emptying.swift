import Heartbeat
import WebSocket

/// The side of the queue that a connection empties.
extension MessageQueue {
    /// A stretch of a message, for one frame.
    package struct Fragment {
        package let kind: MessageKind
        package let bytes: UnsafeRawBufferPointer
        package let isFirst: Bool
        package let isFinal: Bool
        /// It is of a message that was compressed before it was queued.
        package let isCompressed: Bool
        /// Of the whole message; the largest number while parts are still to come.
        package let messageSize: Int
        /// Nil for a message of the application's.
        package let tag: QueueTag?

        var beat: OutgoingHeartbeat.Purpose? {
            if case .beat(let purpose)? = tag { purpose } else { nil }
        }
    }

    /// True while a message has begun on the wire and not ended: no other data frame may come between (RFC 6455 section 5.4).
    package var isInsideMessage: Bool { fragmentedBytes > 0 }

    /// True while the message that has begun on the wire is one in parts, whose last has not been given.
    var awaitsParts: Bool {
        guard isInsideMessage, let draft = drafts[entries[encodedEntries]] else { return false }
        return !draft.isComplete
    }

    /// True while the wire holds something of the queue that the kernel has not got entirely.
    package var hasBegun: Bool { encodedEntries > 0 || fragmentedBytes > 0 }

    /// True if there is something that is not wholly on the wire yet.
    package var hasUnbegun: Bool { encodedEntries < entries.count }

    /// How many entries have begun on the wire: they are the foremost.
    var begunEntries: Int { isInsideMessage ? encodedEntries &+ 1 : encodedEntries }

    /// The next bytes to encode, at most `sizeMax`; nil if there are none now. `wireWritten` is where the next frame begins.
    @_optimize(speed)
    package mutating func nextFragment(sizeMax: Int, wireWritten: UInt64) -> Fragment? {
        while encodedEntries < entries.count {
            let entry = entries[encodedEntries]
            guard entry.flags.isDisjoint(with: [.isDraft, .isVoid]) else {
                if let draft = drafts[entry] {
                    if let fragment = fragment(of: draft, entry, sizeMax) { return fragment }
                    // A message that will never be complete is passed over, unless its beginning is on the wire.
                    guard isSealed && !isInsideMessage else { return nil }
                    void(encodedEntries, .cancelled)
                }
                passOverVoid(wireWritten)
                continue
            }
            let size = min(entry.size &- fragmentedBytes, sizeMax)
            let start = encodedBytes &+ fragmentedBytes
            return Fragment(
                kind: entry.kind, bytes: UnsafeRawBufferPointer(rebasing: payloads.bytes[start..<(start &+ size)]),
                isFirst: fragmentedBytes == 0, isFinal: fragmentedBytes &+ size == entry.size, isCompressed: false, messageSize: entry.size,
                tag: entry.flags.contains(.isTagged) ? tags[encodedTags] : nil)
        }
        return nil
    }

    private func fragment(of draft: Draft, _ entry: QueueEntry, _ sizeMax: Int) -> Fragment? {
        let left = draft.bytes.count &- fragmentedBytes
        guard draft.isComplete || (left > 0 && !holdsDrafts && !isSealed) else { return nil }
        let size = min(left, sizeMax)
        return Fragment(
            kind: entry.kind,
            bytes: UnsafeRawBufferPointer(rebasing: draft.bytes[fragmentedBytes..<(fragmentedBytes &+ size)]),
            isFirst: fragmentedBytes == 0, isFinal: draft.isComplete && size == left, isCompressed: draft.isCompressed,
            messageSize: draft.isComplete ? draft.bytes.count : .max, tag: nil)
    }

    /// The next entry is void: forgets it, or has it leave with what is on the wire before it.
    private mutating func passOverVoid(_ wireWritten: UInt64) {
        if hasBegun { endEntry(wireWritten) } else { removeVoidInFront() }
    }

    /// The fragment just given out is on the wire, which now ends at `wireEnd`.
    @_optimize(speed)
    package mutating func encoded(_ size: Int, isFinal: Bool, wireEnd: UInt64) {
        if isFinal {
            endEntry(wireEnd)
        } else {
            fragmentedBytes &+= size
        }
    }

    @inline(__always)
    private mutating func endEntry(_ wireEnd: UInt64) {
        var entry = entries[encodedEntries]
        entry.wireEnd = wireEnd
        entries[encodedEntries] = entry
        encodedEntries &+= 1
        encodedBytes &+= entry.size
        if entry.flags.contains(.isTagged) { encodedTags &+= 1 }
        fragmentedBytes = 0
    }

    /// The kernel has all bytes up to `wireSent`: forgets the messages that end there. Gives their number, beats not counted.
    @_optimize(speed)
    package mutating func sent(upTo wireSent: UInt64) -> UInt64 {
        var count: UInt64 = 0
        var size = 0
        while encodedEntries > 0 && entries[0].wireEnd <= wireSent, let entry = entries.popFirst() {
            encodedEntries &-= 1
            size &+= entry.size
            if entry.flags.isEmpty || retire(entry) {
                outcomes.settle(entry.id, .sent, isReported: entry.flags.contains(.isReported))
                count &+= 1
            } else if entry.flags.contains(.isTagged), retireTag() {
                count &+= 1
            }
        }
        payloads.removeFirst(size)
        encodedBytes &-= size
        if voidEntries > 0 && !hasBegun { removeVoidInFront() }
        return count
    }

    /// Clears away what belongs to a flagged entry that has left. False if it was no message of the application's that has been sent.
    private mutating func retire(_ entry: QueueEntry) -> Bool {
        if entry.isVoid {
            voidEntries &-= 1
            voidBytes &-= entry.size
            return false
        }
        if entry.flags.contains(.isTimed) { deadlines.forgetOne() }
        drafts.remove(entry)
        return !entry.flags.contains(.isTagged)
    }

    /// False for a beat.
    private mutating func retireTag() -> Bool {
        encodedTags &-= 1
        guard tags.popFirst() == .opening else { return false }
        openingsSent &+= 1
        return true
    }

    /// The connection ended: everything not wholly sent is given out anew, except what does not outlive it.
    ///
    /// `isTakenOver`: it has not broken, another one goes on for it. What is to be sent now and has not begun is in time for that one.
    @inline(never)
    package mutating func rewind(isTakenOver: Bool = false) {
        let begun = isTakenOver ? begunEntries : entries.count
        (encodedEntries, encodedTags, encodedBytes, fragmentedBytes) = (0, 0, 0, 0)
        firmThrough = 0
        if hasBoundEntries { voidBoundEntries(nowBefore: begun) }
        tidy()
    }

    private mutating func countLost(_ entry: QueueEntry) {
        lostMessages.count &+= 1
        lostMessages.bytes &+= UInt64(drafts[entry]?.bytes.count ?? entry.size)
    }

    private mutating func voidBoundEntries(nowBefore end: Int) {
        hasBoundEntries = false
        tags.removeAll()
        for index in 0..<entries.count {
            let flags = entries[index].flags
            if flags.contains(.isNow) && index >= end {
                hasBoundEntries = true
            } else if !flags.isDisjoint(with: [.isNow, .isTagged]) {
                if !flags.contains(.isTagged) { countLost(entries[index]) }
                void(index, .dropped)
            } else if flags.contains(.isOverdue) {
                void(index, .expired)
            }
        }
    }
}
