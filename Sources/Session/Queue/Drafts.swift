import WebSocket

/// A message that comes in parts.
final class Draft {
    let id: UInt64
    private(set) var validator = UTF8Validator()
    private(set) var payload = ByteQueue()
    private(set) var isComplete = false
    /// A part was refused for lack of space and perhaps waits to be handed over again.
    var wasRefused = false

    init(id: UInt64) {
        self.id = id
    }

    fileprivate func append(_ part: UnsafeRawBufferPointer, _ validator: UTF8Validator, isLast: Bool) {
        payload.append(part)
        self.validator = validator
        isComplete = isLast
    }
}

/// The messages that come in parts, each in a slot that its entry in the queue names.
struct Drafts: ~Copyable {
    private var slots: [Draft?] = []
    private var freeSlots: [Int] = []
    private(set) var byteCount = 0

    /// Nil if the message does not come in parts.
    subscript(entry: QueueEntry) -> Draft? { entry.draftSlot.flatMap { slots[$0] } }

    /// Gives the new draft's slot.
    mutating func insert(_ draft: Draft) -> Int {
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

    /// Does nothing for a message that does not come in parts.
    mutating func remove(_ entry: QueueEntry) {
        guard let slot = entry.draftSlot, let draft = slots[slot] else { return }
        byteCount &-= draft.payload.count
        slots[slot] = nil
        freeSlots.append(slot)
        if freeSlots.count == slots.count { (slots, freeSlots) = ([], []) }
    }
}
