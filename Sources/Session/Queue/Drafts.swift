import WebSocket

/// A message that comes in parts, or one that other queues have too.
final class Draft {
    let id: UInt64
    private(set) var validator = UTF8Validator()
    private var parts = ByteQueue()
    private let shared: SharedMessage?
    /// Its bytes are those of a compressed message.
    let isCompressed: Bool
    private(set) var isComplete = false
    /// A part was refused for lack of space and perhaps waits to be handed over again.
    var wasRefused = false

    init(id: UInt64) {
        self.id = id
        shared = nil
        isCompressed = false
    }

    init(id: UInt64, _ message: SharedMessage, isCompressed: Bool) {
        self.id = id
        shared = message
        self.isCompressed = isCompressed
        isComplete = true
    }

    /// Valid until the next part.
    var bytes: UnsafeRawBufferPointer {
        guard let shared else { return parts.bytes }
        return isCompressed ? shared.compressed.bytes : shared.plain.bytes
    }

    fileprivate func append(_ part: UnsafeRawBufferPointer, _ validator: UTF8Validator, isLast: Bool) {
        parts.append(part)
        self.validator = validator
        isComplete = isLast
    }
}

/// The messages that come in parts or are shared, each in a slot that its entry in the queue names.
struct Drafts: ~Copyable {
    private var slots: [Draft?] = []
    private var freeSlots: [Int] = []
    private(set) var byteCount = 0

    /// Nil if the queue's own store has the message.
    subscript(entry: QueueEntry) -> Draft? { entry.draftSlot.flatMap { slots[$0] } }

    /// Gives the new draft's slot.
    mutating func insert(_ draft: Draft) -> Int {
        byteCount &+= draft.bytes.count
        if let slot = freeSlots.popLast() {
            slots[slot] = draft
            return slot
        }
        slots.append(draft)
        return slots.count &- 1
    }

    mutating func append(_ part: UnsafeRawBufferPointer, _ validator: UTF8Validator, isLast: Bool, to draft: Draft) {
        draft.append(part, validator, isLast: isLast)
        byteCount &+= part.count
    }

    /// Does nothing for a message that the queue's own store has.
    mutating func remove(_ entry: QueueEntry) {
        guard let slot = entry.draftSlot, let draft = slots[slot] else { return }
        byteCount &-= draft.bytes.count
        slots[slot] = nil
        freeSlots.append(slot)
        if freeSlots.count == slots.count { (slots, freeSlots) = ([], []) }
    }
}
