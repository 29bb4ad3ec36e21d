import Heartbeat
import WebSocket

/// How a message of the application's is to be sent.
package struct SendOptions: BitwiseCopyable {
    /// On the present connection or not at all: it is never given to another, whether it has begun or not.
    package var isNow = false
    /// Its outcome is reported even if it is sent.
    package var isReported = false
    /// When it is too late for its first byte.
    package var expiry: Instant?

    package init(isNow: Bool = false, isReported: Bool = false, expiry: Instant? = nil) {
        self.isNow = isNow
        self.isReported = isReported
        self.expiry = expiry
    }
}

/// What the library itself sends as messages. It is of the present connection, a later one does not get it, and it has neither number nor
/// outcome.
package enum QueueTag: BitwiseCopyable, Equatable {
    case beat(OutgoingHeartbeat.Purpose)
    /// Of the opening script, or kept: every new connection is sent it anyway.
    case opening
}

/// The place of a message in the queue.
struct QueueEntry: BitwiseCopyable {
    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt8

        /// Its bytes are among the drafts.
        static let isDraft = Flags(rawValue: 1)
        static let isTagged = Flags(rawValue: 2)
        static let isNow = Flags(rawValue: 4)
        static let isReported = Flags(rawValue: 8)
        /// It waits for a deadline.
        static let isTimed = Flags(rawValue: 16)
        /// Its deadline passed when it had begun.
        static let isOverdue = Flags(rawValue: 32)
        /// It is not to be sent any more, and keeps the place of its bytes.
        static let isVoid = Flags(rawValue: 64)
    }

    /// What is tagged has the number of the message before it.
    let id: UInt64
    /// Position in the connection's outgoing bytes where the message ends; set when it has been encoded.
    var wireEnd: UInt64 = 0
    /// The message's size, or its slot among the drafts if it is one.
    private let number: UInt32
    let kind: MessageKind
    var flags: Flags

    /// `size` is below 4 GiB.
    init(id: UInt64, kind: MessageKind, size: Int, _ flags: Flags = []) {
        self.init(id: id, kind: kind, number: UInt32(truncatingIfNeeded: size), flags)
    }

    init(id: UInt64, kind: MessageKind, draft slot: Int, _ flags: Flags) {
        self.init(id: id, kind: kind, number: UInt32(truncatingIfNeeded: slot), flags.union(.isDraft))
    }

    private init(id: UInt64, kind: MessageKind, number: UInt32, _ flags: Flags) {
        self.id = id
        self.kind = kind
        self.number = number
        self.flags = flags
    }

    /// The bytes it has in the queue's own store: a draft has none.
    var size: Int { flags.contains(.isDraft) ? 0 : Int(number) }

    /// Nil if it is none.
    var draftSlot: Int? { flags.contains(.isDraft) ? Int(number) : nil }

    var isVoid: Bool { flags.contains(.isVoid) }

    /// The same place, of a message that is not to be sent.
    var voided: QueueEntry { QueueEntry(id: id, kind: kind, size: size, .isVoid) }
}
