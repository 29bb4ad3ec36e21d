import Heartbeat
import WebSocket

/// The bounded first-in first-out queue of the application's messages.
///
/// Messages stay until the kernel has all their bytes; what a broken connection cut short is given out again for the next one. A message that
/// the application hands over in parts has its place from its first part on, and those behind it wait for its last. One that is not to be sent
/// any more is void at once and counts no more; its place is cleared away when such places are many.
package struct MessageQueue: ~Copyable {
    /// What happens to a message that finds the queue full.
    package enum Overflow {
        case reject
        /// The oldest complete messages of which nothing is on the wire give way.
        case dropOldest
    }

    package struct Limits {
        package var messagesMax: Int
        package var bytesMax: Int
        package var overflow: Overflow

        package init(messagesMax: Int, bytesMax: Int, overflow: Overflow = .reject) {
            self.messagesMax = messagesMax
            // A message's size is kept in 32 bits.
            self.bytesMax = min(bytesMax, Int(Int32.max))
            self.overflow = overflow
        }
    }

    let limits: Limits
    /// Whether parts wait until their message is complete, so that an unfinished message never stands between a beat and the wire.
    let holdsDrafts: Bool
    /// By their numbers, which grow. The foremost is not void.
    var entries = RingQueue<QueueEntry>()
    /// The bytes of the entries that are no drafts.
    var payloads = ByteQueue()
    var drafts = Drafts()
    /// Of the tagged entries, in their order.
    var tags = RingQueue<QueueTag>()
    var deadlines = Deadlines()
    var outcomes = Outcomes()
    package private(set) var lastId: UInt64 = 0
    package private(set) var isSealed = false
    private var refusedForSpace = false
    /// The most that was refused since room was last told of: telling of less would have it refused again and again.
    private var refusedSize = 0

    /// Messages that open connections, of those that `sent` has counted.
    package internal(set) var openingsSent: UInt64 = 0

    /// Messages that were dropped with their connections, since the beginning.
    var lostMessages: (count: UInt64, bytes: UInt64) = (0, 0)

    var voidEntries = 0
    var voidBytes = 0
    /// There may be entries that do not outlive the present connection.
    var hasBoundEntries = false
    /// No message with a number up to this one can give way.
    var firmThrough: UInt64 = 0

    var encodedEntries = 0
    var encodedTags = 0
    var encodedBytes = 0
    /// Bytes of the entry at `encodedEntries` that are in fragments on the wire already.
    var fragmentedBytes = 0

    package init(limits: Limits, holdsDrafts: Bool) {
        self.limits = limits
        self.holdsDrafts = holdsDrafts
    }

    package var count: Int { entries.count &- voidEntries }
    package var byteCount: Int { payloads.count &- voidBytes &+ drafts.byteCount }

    // MARK: Filling

    @_optimize(speed)
    package mutating func enqueue(
        _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ options: SendOptions = SendOptions()
    ) -> Outbox.Admission {
        if let refusal = refusal(payload.count, isNewMessage: true) { return refusal }
        lastId &+= 1
        entries.append(QueueEntry(id: lastId, kind: kind, size: payload.count, flags(options)))
        payloads.append(payload)
        return .accepted(id: lastId)
    }

    /// Takes a message that other queues have too.
    package mutating func enqueue(
        _ message: SharedMessage, isCompressed: Bool, _ options: SendOptions
    ) -> Outbox.Admission {
        let draft = Draft(id: lastId &+ 1, message, isCompressed: isCompressed)
        if let refusal = refusal(draft.bytes.count, isNewMessage: true) { return refusal }
        lastId &+= 1
        entries.append(QueueEntry(id: lastId, kind: message.kind, draft: drafts.insert(draft), flags(options)))
        return .accepted(id: lastId)
    }

    /// Takes a beat of the present connection, which follows what is queued.
    mutating func enqueue(_ beat: OutgoingHeartbeat) {
        beat.payload.withUnsafeBytes { append(beat.opcode == .binary ? .binary : .text, $0, .beat(beat.purpose)) }
    }

    /// Takes a message that opens the present connection. It needs room like one of the application's, but gets no number.
    package mutating func enqueueOpening(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Outbox.Admission {
        if let refusal = refusal(payload.count, isNewMessage: true) { return refusal }
        append(kind, payload, .opening)
        return .accepted(id: 0)
    }

    private mutating func append(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ tag: QueueTag) {
        entries.append(QueueEntry(id: lastId, kind: kind, size: payload.count, .isTagged))
        payloads.append(payload)
        tags.append(tag)
        hasBoundEntries = true
    }

    /// Takes a part of the message `id`; 0 begins a new one, for which alone the options count.
    @_optimize(speed)
    package mutating func enqueue(
        _ kind: MessageKind, part payload: UnsafeRawBufferPointer, of id: UInt64, isLast: Bool, _ options: SendOptions = SendOptions()
    ) -> Outbox.Admission {
        guard !isSealed else { return .closed }
        let existing = unfinishedDraft(id, kind)
        guard id == 0 || existing != nil else { return .unknownMessage }
        guard payload.count <= limits.bytesMax &- (existing?.bytes.count ?? 0) else { return .tooLarge }
        // What stands behind the foremost message waits for it, and must not take the room from it: neither would ever leave.
        if existing == nil || existing !== foremostDraft, let refusal = refusal(payload.count, isNewMessage: existing == nil) {
            existing?.wasRefused = true
            return refusal
        }
        var validator = existing?.validator ?? UTF8Validator()
        guard kind == .binary || validator.append(payload) && (!isLast || validator.isComplete) else { return .notUTF8 }
        let draft = existing ?? beginDraft(kind, options)
        drafts.append(payload, validator, isLast: isLast, to: draft)
        if isLast && draft.id <= firmThrough { firmThrough = draft.id &- 1 }
        return .accepted(id: draft.id)
    }

    private func unfinishedDraft(_ id: UInt64, _ kind: MessageKind) -> Draft? {
        guard id > 0, let index = index(of: id), entries[index].kind == kind, let draft = drafts[entries[index]], !draft.isComplete else {
            return nil
        }
        return draft
    }

    private var foremostDraft: Draft? { entries.isEmpty ? nil : drafts[entries[0]] }

    private mutating func beginDraft(_ kind: MessageKind, _ options: SendOptions) -> Draft {
        lastId &+= 1
        let draft = Draft(id: lastId)
        entries.append(QueueEntry(id: lastId, kind: kind, draft: drafts.insert(draft), flags(options)))
        return draft
    }

    /// For the message `lastId`, whose deadline is noted.
    private mutating func flags(_ options: SendOptions) -> QueueEntry.Flags {
        var flags: QueueEntry.Flags = options.isReported ? .isReported : []
        if options.isNow {
            flags.insert(.isNow)
            hasBoundEntries = true
        }
        if let expiry = options.expiry {
            flags.insert(.isTimed)
            addDeadline(expiry)
        }
        return flags
    }

    private mutating func refusal(_ size: Int, isNewMessage: Bool) -> Outbox.Admission? {
        guard !isSealed else { return .closed }
        guard size <= limits.bytesMax else { return .tooLarge }
        let hasRoom = (!isNewMessage || count < limits.messagesMax) && size <= limits.bytesMax &- byteCount
        guard hasRoom || limits.overflow == .dropOldest && makeRoom(size, isNewMessage: isNewMessage) else {
            refusedForSpace = true
            refusedSize = max(refusedSize, size)
            return .full
        }
        return nil
    }

    /// True once after a message was refused for lack of space, when the queue has fallen below half of both limits, and after a part was,
    /// when its message has become the foremost.
    package mutating func takeWritable() -> Bool {
        if let draft = foremostDraft, draft.wasRefused {
            draft.wasRefused = false
            return true
        }
        guard isWritableDue else { return false }
        (refusedForSpace, refusedSize) = (false, 0)
        return true
    }

    /// True if there is something for `takeWritable`.
    package var isWritableDue: Bool {
        if hasRoomAgain { return true }
        return foremostDraft?.wasRefused ?? false
    }

    /// For what was refused as well.
    private var hasRoomAgain: Bool {
        refusedForSpace && count <= limits.messagesMax / 2 && byteCount <= min(limits.bytesMax / 2, limits.bytesMax &- refusedSize)
    }

    /// Refuses further messages and parts; complete messages are still sent.
    package mutating func seal() {
        isSealed = true
    }

    /// There will be no further connection: all that waits is cancelled.
    @inline(never)
    package mutating func removeAll() {
        (refusedForSpace, refusedSize) = (false, 0)
        for index in 0..<entries.count where !entries[index].isVoid { void(index, .cancelled) }
        entries.removeAll()
        payloads.removeAll()
        tags.removeAll()
        (voidEntries, voidBytes) = (0, 0)
        rewind()
    }

    // MARK: Looking

    /// Whether such a beat waits that is not on the wire yet.
    func holds(_ beat: OutgoingHeartbeat.Purpose) -> Bool {
        for index in encodedTags..<tags.count where tags[index] == .beat(beat) { return true }
        return false
    }

    /// Beats that are not on the wire yet.
    var unbegunBeats: Int {
        var count = 0
        for index in encodedTags..<tags.count where tags[index] != .opening { count &+= 1 }
        return count
    }

    /// When the request arrived whose answer is the foremost that is not encoded yet.
    var oldestAnswerReceived: Instant? {
        for index in encodedTags..<tags.count {
            if case .beat(.answer(_, let received)) = tags[index] { return received }
        }
        return nil
    }

    /// Calls `body` for every message of the application's that neither came in parts nor is shared.
    func forEachWhole(_ body: (MessageKind, UnsafeRawBufferPointer) -> Void) {
        var start = 0
        for index in 0..<entries.count {
            let entry = entries[index]
            let end = start &+ entry.size
            if entry.flags.isDisjoint(with: [.isDraft, .isTagged, .isVoid]) {
                body(entry.kind, UnsafeRawBufferPointer(rebasing: payloads.bytes[start..<end]))
            }
            start = end
        }
    }

    /// Where the message `id` stands; nil if it has left.
    func index(of id: UInt64) -> Int? {
        let index = firstIndex(from: id)
        guard index < entries.count, entries[index].id == id, !entries[index].flags.contains(.isTagged) else { return nil }
        return index
    }

    /// Where the first entry stands that has this number or a later one.
    func firstIndex(from id: UInt64) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low &+ high) / 2
            if entries[middle].id < id { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}
