import Heartbeat
import WebSocket

/// The bounded first-in first-out queue of the application's messages.
///
/// Messages stay until the kernel has all their bytes; what a broken connection cut short is given out again for the next one. A message that
/// the application hands over in parts has its place from its first part on, and those behind it wait for its last.
struct MessageQueue: ~Copyable {
    struct Limits {
        var messagesMax: Int
        var bytesMax: Int
    }

    /// A stretch of a message, for one frame.
    struct Fragment {
        let kind: MessageKind
        let bytes: UnsafeRawBufferPointer
        let isFirst: Bool
        let isFinal: Bool
        /// Of the whole message; the largest number while parts are still to come.
        let messageSize: Int
        var beat: OutgoingHeartbeat.Purpose?
    }

    private struct Entry: BitwiseCopyable {
        let kind: MessageKind
        let isInParts: Bool
        let size: Int
        /// Nil for a message of the application's. A beat is of the present connection: a later one does not get it.
        var beat: OutgoingHeartbeat.Purpose?
        /// Position in the connection's outgoing bytes where the message ends; set when it has been encoded.
        var wireEnd: UInt64 = 0
    }

    /// A message that comes in parts.
    private final class Draft {
        let id: UInt64
        let kind: MessageKind
        var payload = ByteQueue()
        var validator = UTF8Validator()
        var isComplete = false
        /// A part was refused for lack of space and perhaps waits to be handed over again.
        var wasRefused = false

        init(id: UInt64, kind: MessageKind) {
            self.id = id
            self.kind = kind
        }
    }

    private let limits: Limits
    /// Whether parts wait until their message is complete, so that an unfinished message never stands between a beat and the wire.
    private let holdsDrafts: Bool
    private var entries = RingQueue<Entry>()
    /// The bytes of the entries that did not come in parts.
    private var payloads = ByteQueue()
    /// Those that did, in the order of their entries.
    private var drafts: [Draft] = []
    private var draftBytes = 0
    private var beatCount = 0
    private var lastId: UInt64 = 0
    private(set) var isSealed = false
    private var refusedForSpace = false

    private var encodedEntries = 0
    private var encodedDrafts = 0
    private var encodedBytes = 0
    /// Bytes of the entry at `encodedEntries` that are in fragments on the wire already.
    private var fragmentedBytes = 0

    init(limits: Limits, holdsDrafts: Bool) {
        self.limits = limits
        self.holdsDrafts = holdsDrafts
    }

    var count: Int { entries.count }
    var byteCount: Int { payloads.count &+ draftBytes }

    /// True if something of a message is on the wire that has not been handed over whole.
    var hasBegun: Bool { encodedEntries > 0 || fragmentedBytes > 0 }

    /// True if there is a message that is not wholly on the wire yet.
    var hasUnbegun: Bool { encodedEntries < entries.count }

    /// True while a message has begun on the wire and not ended: no other data frame may come between (RFC 6455 section 5.4).
    var isInsideMessage: Bool { fragmentedBytes > 0 }

    // MARK: Filling

    mutating func enqueue(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Outbox.Admission {
        if let refusal = refusal(payload.count, isNewMessage: true) { return refusal }
        entries.append(Entry(kind: kind, isInParts: false, size: payload.count))
        payloads.append(payload)
        lastId &+= 1
        return .accepted(id: lastId)
    }

    /// Takes a beat of the present connection, which follows what is queued.
    mutating func enqueue(_ beat: OutgoingHeartbeat) {
        let entry = Entry(
            kind: beat.opcode == .binary ? .binary : .text, isInParts: false, size: beat.payload.count, beat: beat.purpose)
        entries.append(entry)
        beat.payload.withUnsafeBytes { payloads.append($0) }
        beatCount += 1
    }

    /// Takes a part of the message `id`; 0 begins a new one.
    @_optimize(speed)
    mutating func enqueue(
        _ kind: MessageKind, part payload: UnsafeRawBufferPointer, of id: UInt64, isLast: Bool
    ) -> Outbox.Admission {
        guard !isSealed else { return .closed }
        let existing = id == 0 ? nil : drafts.first { $0.id == id && !$0.isComplete && $0.kind == kind }
        guard id == 0 || existing != nil else { return .unknownMessage }
        guard payload.count <= limits.bytesMax &- (existing?.payload.count ?? 0) else { return .tooLarge }
        // What stands behind the foremost message waits for it, and must not take the room from it: neither would ever leave.
        if existing == nil || existing !== foremostDraft, let refusal = refusal(payload.count, isNewMessage: existing == nil) {
            existing?.wasRefused = true
            return refusal
        }
        var validator = existing?.validator ?? UTF8Validator()
        guard kind == .binary || validator.append(payload) && (!isLast || validator.isComplete) else { return .notUTF8 }
        let draft = existing ?? beginDraft(kind)
        draft.validator = validator
        draft.payload.append(payload)
        draft.isComplete = isLast
        draftBytes &+= payload.count
        return .accepted(id: draft.id)
    }

    private var foremostDraft: Draft? { !entries.isEmpty && entries[0].isInParts ? drafts.first : nil }

    private mutating func beginDraft(_ kind: MessageKind) -> Draft {
        lastId &+= 1
        let draft = Draft(id: lastId, kind: kind)
        drafts.append(draft)
        entries.append(Entry(kind: kind, isInParts: true, size: 0))
        return draft
    }

    private mutating func refusal(_ size: Int, isNewMessage: Bool) -> Outbox.Admission? {
        guard !isSealed else { return .closed }
        guard size <= limits.bytesMax else { return .tooLarge }
        guard !isNewMessage || entries.count < limits.messagesMax, size <= limits.bytesMax &- byteCount else {
            refusedForSpace = true
            return .full
        }
        return nil
    }

    /// True once after a message was refused for lack of space, when the queue has fallen below half of both limits, and after a part was,
    /// when its message has become the foremost.
    mutating func takeWritable() -> Bool {
        if let draft = foremostDraft, draft.wasRefused {
            draft.wasRefused = false
            return true
        }
        guard refusedForSpace, entries.count <= limits.messagesMax / 2, byteCount <= limits.bytesMax / 2 else { return false }
        refusedForSpace = false
        return true
    }

    /// Refuses further messages and parts; complete messages are still sent.
    mutating func seal() {
        isSealed = true
    }

    mutating func removeAll() {
        refusedForSpace = false
        entries.removeAll()
        payloads.removeAll()
        drafts.removeAll()
        draftBytes = 0
        beatCount = 0
        rewind()
    }

    func holds(_ beat: OutgoingHeartbeat.Purpose) -> Bool {
        guard beatCount > 0 else { return false }
        for index in encodedEntries..<entries.count where entries[index].beat == beat { return true }
        return false
    }

    /// When the request arrived whose answer is the foremost that is not encoded yet.
    var oldestAnswerReceived: Instant? {
        guard beatCount > 0 else { return nil }
        for index in encodedEntries..<entries.count {
            if case .answer(_, let received)? = entries[index].beat { return received }
        }
        return nil
    }

    /// Calls `body` for every message of the application's that did not come in parts.
    func forEachWhole(_ body: (MessageKind, UnsafeRawBufferPointer) -> Void) {
        var start = 0
        for index in 0..<entries.count where !entries[index].isInParts {
            let entry = entries[index]
            if entry.beat == nil { body(entry.kind, UnsafeRawBufferPointer(rebasing: payloads.bytes[start..<(start &+ entry.size)])) }
            start &+= entry.size
        }
    }

    // MARK: Emptying

    /// The next bytes to encode, at most `sizeMax`; nil if there are none now. `wireWritten` is where the next frame begins.
    @_optimize(speed)
    mutating func nextFragment(sizeMax: Int, wireWritten: UInt64) -> Fragment? {
        while encodedEntries < entries.count {
            let entry = entries[encodedEntries]
            guard entry.isInParts else {
                let size = min(entry.size &- fragmentedBytes, sizeMax)
                let start = encodedBytes &+ fragmentedBytes
                return Fragment(
                    kind: entry.kind, bytes: UnsafeRawBufferPointer(rebasing: payloads.bytes[start..<(start &+ size)]),
                    isFirst: fragmentedBytes == 0, isFinal: fragmentedBytes &+ size == entry.size, messageSize: entry.size,
                    beat: entry.beat)
            }
            let draft = drafts[encodedDrafts]
            let left = draft.payload.count &- fragmentedBytes
            if draft.isComplete || (left > 0 && !holdsDrafts && !isSealed) {
                let size = min(left, sizeMax)
                return Fragment(
                    kind: entry.kind,
                    bytes: UnsafeRawBufferPointer(rebasing: draft.payload.bytes[fragmentedBytes..<(fragmentedBytes &+ size)]),
                    isFirst: fragmentedBytes == 0, isFinal: draft.isComplete && size == left,
                    messageSize: draft.isComplete ? draft.payload.count : .max)
            }
            // A message that will never be complete is passed over, unless its beginning is on the wire.
            guard isSealed && fragmentedBytes == 0 else { return nil }
            endEntry(entry, wireWritten)
        }
        return nil
    }

    /// The fragment just given out is on the wire, which now ends at `wireEnd`.
    mutating func encoded(_ size: Int, isFinal: Bool, wireEnd: UInt64) {
        if isFinal {
            endEntry(entries[encodedEntries], wireEnd)
        } else {
            fragmentedBytes &+= size
        }
    }

    private mutating func endEntry(_ entry: Entry, _ wireEnd: UInt64) {
        entries[encodedEntries].wireEnd = wireEnd
        encodedEntries &+= 1
        encodedBytes &+= entry.size
        if entry.isInParts { encodedDrafts &+= 1 }
        fragmentedBytes = 0
    }

    /// The kernel has all bytes up to `wireSent`: forgets the messages that end there. Gives their number.
    @_optimize(speed)
    mutating func sent(upTo wireSent: UInt64) -> UInt64 {
        var count: UInt64 = 0
        while encodedEntries > 0 && entries[0].wireEnd <= wireSent, let entry = entries.popFirst() {
            encodedEntries &-= 1
            if entry.isInParts {
                let draft = drafts.removeFirst()
                encodedDrafts &-= 1
                draftBytes &-= draft.payload.count
                if draft.isComplete { count &+= 1 }
            } else {
                payloads.removeFirst(entry.size)
                encodedBytes &-= entry.size
                if entry.beat == nil { count &+= 1 } else { beatCount -= 1 }
            }
        }
        return count
    }

    /// The connection ended: everything not wholly sent is given out anew, except beats.
    mutating func rewind() {
        (encodedEntries, encodedDrafts, encodedBytes, fragmentedBytes) = (0, 0, 0, 0)
        if beatCount > 0 { removeBeats() }
    }

    private mutating func removeBeats() {
        var kept = ByteQueue()
        forEachWhole { kept.append($1) }
        payloads = kept
        for _ in 0..<entries.count {
            if let entry = entries.popFirst(), entry.beat == nil { entries.append(entry) }
        }
        beatCount = 0
    }
}
