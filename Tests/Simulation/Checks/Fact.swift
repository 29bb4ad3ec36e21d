import Heartbeat
import Session
import WebSocket

/// What checkers see of a client's life. Server and network tell what is; the client's own account is what has to agree with it.
enum Fact {
    // The application's doings.
    case began
    case accepted(Outgoing)
    case completed(Outgoing)
    case refused(Outbox.Admission, size: Int, isNow: Bool)
    case cancelled(Outgoing, MessageQueue.Cancellation)
    case kept(Kept)
    case removed(Kept)
    case keepRefused(Outbox.Admission, size: Int)
    case rotationAsked
    case proceeded(UInt64, Preparation)
    case probed
    case closeAsked(CloseFrame)
    case cutOffAsked
    case releaseAsked

    // What the library tells or does.
    case attemptBegan(LinkPlace)
    case transportOpened(Line)
    case read(bytes: Int, epoch: UInt64)
    case wrote(offered: Int, taken: Int)
    case delivered([UInt8], epoch: UInt64)
    /// As a duplicate.
    case leftOut([UInt8], epoch: UInt64)
    case event(Event)
    case released
    case settled

    // What is true of the server.
    case serverAsked(Peer, token: Int?)
    case serverOpened(Peer)
    case serverGot(Got)
    case serverSent(Peer, Sent)
    case serverEnded(Peer)
    case pingArrived(Peer, Int, Instant)
    case requestArrived(Peer, Int, Instant)

    // The world's time.
    case audit
    case calm
    case ended
    /// All lines are broken: what the servers have not got by now is lost.
    case nothingUnderway
}

/// A message that the library has accepted from the application.
final class Outgoing {
    let number: Int
    let id: UInt64
    /// As `Wording.message` takes it: the payload has at least its own heading.
    let size: Int
    let kind: MessageKind
    let options: SendOptions
    let acceptedAt: Instant
    /// The connection that messages went by then; 0 if none did.
    let epoch: UInt64
    /// Not all of its parts have been handed over.
    var isUnfinished: Bool
    /// The server has it whole.
    var hasArrived = false
    /// The kernel had it whole when its connection broke.
    var wasLost = false

    init(
        number: Int, id: UInt64, size: Int, kind: MessageKind, _ options: SendOptions, acceptedAt: Instant, epoch: UInt64,
        isUnfinished: Bool
    ) {
        self.number = number
        self.id = id
        self.size = size
        self.kind = kind
        self.options = options
        self.acceptedAt = acceptedAt
        self.epoch = epoch
        self.isUnfinished = isUnfinished
    }

    /// The kernel had all of it.
    var wasSent: Bool { hasArrived || wasLost }
    var payload: [UInt8] { Wording.message(number, size: size) }
}

/// A message under a key, as it was given once.
final class Kept {
    let key: Int
    let version: Int
    /// The place of its key among all: those of earlier keys are smaller.
    let rank: Int
    let since: Instant
    /// When it was replaced or removed.
    var until: Instant?

    init(key: Int, version: Int, rank: Int, since: Instant) {
        self.key = key
        self.version = version
        self.rank = rank
        self.since = since
    }
}

/// What an application answers when it is asked before an attempt.
enum Preparation {
    /// With these credentials.
    case token(Int)
    case refusal
}

/// An established connection, as the client tells of it.
final class Connection {
    let epoch: UInt64
    let line: Line
    let openedAt: Checker.Mark
    /// The server's number for it.
    let number: Int
    var isOpen = true
    /// Messages went by it when it ended, or go by it now.
    var wasActive = false

    init(epoch: UInt64, line: Line, number: Int, openedAt: Checker.Mark) {
        self.epoch = epoch
        self.line = line
        self.number = number
        self.openedAt = openedAt
    }
}
