import Heartbeat
import WebSocket

/// Everything on its way out to one connection: the messages that open it, the queue of the application's while it goes this way, and the
/// bytes being written now.
///
/// Control frames and beats go ahead of queued messages. The wire holds whole frames only, and few of them, so a control frame never waits
/// behind more than `wireTarget` and one fragment. The owner guards an outbox with a lock: senders and the I/O thread share it.
package final class Outbox {
    package struct Limits {
        package var messagesMax: Int
        package var bytesMax: Int
        package var fragmentSize: Int
        /// Whether heartbeats may be sent as messages: those that come in parts wait until they are complete then.
        package var hasBeats: Bool
        package var overflow: MessageQueue.Overflow

        package init(messagesMax: Int, bytesMax: Int, fragmentSize: Int, hasBeats: Bool = false, overflow: MessageQueue.Overflow = .reject)
        {
            self.messagesMax = messagesMax
            self.bytesMax = bytesMax
            self.fragmentSize = fragmentSize
            self.hasBeats = hasBeats
            self.overflow = overflow
        }
    }

    package enum Admission: Equatable {
        case accepted(id: UInt64)
        case full
        case tooLarge
        case closed
        /// It was to be sent now, and there is no connection that takes messages.
        case notConnected
        /// No unfinished message of this kind has the number that the part names.
        case unknownMessage
        case notUTF8
    }

    enum Mode: Equatable {
        /// No connection: messages wait.
        case offline
        /// The opening handshake is on the wire: messages wait.
        case handshake
        case open
        /// Open, and a close frame follows the last queued message.
        case closing(CloseFrame)
        /// A close frame is on the wire: no frame may follow it (RFC 6455 section 5.5.1).
        case closed
    }

    /// A heartbeat that the kernel has taken over, or the outbox.
    package struct HandedOver: BitwiseCopyable {
        package enum Frame: BitwiseCopyable, Equatable {
            /// The outbox took the host's answer to a request that arrived at this moment. The frame itself follows.
            case taken(received: Instant)
            /// Answers a ping that arrived at this moment.
            case pong(received: Instant)
            case heartbeat(OutgoingHeartbeat.Purpose)
        }

        package let frame: Frame
        package let time: Instant
    }

    struct Mark: BitwiseCopyable {
        let frame: HandedOver.Frame
        let opcode: Opcode
        let wireEnd: UInt64
    }

    var mode = Mode.offline
    let fragmentSize: Int
    let role: Role
    var keys: MaskingKeys

    var queue: MessageQueue
    /// What the opening script sends, and the kept messages: ahead of the queue, and of this connection only.
    var opening: MessageQueue
    /// False for the way that another one has the queue of.
    var hasQueue: Bool
    /// Whether messages of the queue may begin: not before the opening script is done, nor when another connection is to carry them on.
    var takesQueue = false
    /// That other connection stands.
    var isQueueHeld = false
    /// The kept messages are on their way: what is kept from now on has to be sent by itself.
    package internal(set) var hasSentKept = false
    /// The connection that this is for; 0 while there is none.
    package internal(set) var epoch: UInt64 = 0
    /// Messages of the application's that this connection carries or has carried: wholly on the wire, and wholly handed to the kernel.
    package internal(set) var messagesEncoded: UInt64 = 0
    package internal(set) var messagesHandedOver: UInt64 = 0
    /// Of the present connection; nil if it agreed on none.
    var compression: Compression?
    var isMessageCompressed = false
    /// The peer's window holds what our deflater has not seen, so what it compresses may not refer to anything before.
    var hasForeignContext = false
    /// A compressed fragment on its way to the wire.
    var compressed = ByteQueue()

    var wire = ByteQueue()
    /// Bytes ever put on this connection's wire, and taken from it.
    var wireWritten: UInt64 = 0
    var wireSent: UInt64 = 0
    var marks = RingQueue<Mark>()
    /// Heartbeats that are messages and wait for the end of the one that is being sent.
    var pendingBeats: [OutgoingHeartbeat] = []
    var unsentPings = 0
    var unsentPongs = 0
    var unsentBeats = 0
    var postponedPong: (payload: [UInt8], received: Instant)?
    var handedOver: [HandedOver] = []
    /// When the present connection last handed a whole text or binary message to the kernel, of whoever's.
    package internal(set) var lastMessageSentAt: Instant?
    /// Sees what the application sends, for rules that learn from it.
    let variables: HeartbeatVariables?

    package internal(set) var metrics = OutboxMetrics()

    static let wireTarget = 65536
    /// Pings and pongs that may each wait on the wire while the peer does not read. Beyond it only the latest of the peer's pings is answered
    /// (RFC 6455 section 5.5.3), so a flood of them cannot grow memory.
    static let unsentControlFramesMax = 256
    /// Heartbeats that are messages and may wait while the peer does not read, or for the end of a large message.
    static let unsentBeatsMax = 64

    /// `variables` are given if heartbeat rules learn from what the application sends.
    package init(
        role: Role, limits: Limits, variables: HeartbeatVariables? = nil, hasQueue: Bool = true,
        fillRandom: @escaping (UnsafeMutableRawBufferPointer) -> Void
    ) {
        self.role = role
        self.hasQueue = hasQueue
        self.variables = variables
        fragmentSize = limits.fragmentSize
        queue = MessageQueue(
            limits: MessageQueue.Limits(messagesMax: limits.messagesMax, bytesMax: limits.bytesMax, overflow: limits.overflow),
            holdsDrafts: limits.hasBeats)
        opening = MessageQueue(limits: MessageQueue.Limits(messagesMax: .max, bytesMax: .max), holdsDrafts: false)
        keys = MaskingKeys(fillRandom: fillRandom)
    }

    package var queuedMessages: Int { queue.count }
    package var queuedBytes: Int { queue.byteCount }
    /// Messages that were dropped with their connections, since the beginning.
    var lostMessages: (count: UInt64, bytes: UInt64) { queue.lostMessages }

    // MARK: The application's side

    package func enqueue(
        _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ options: SendOptions = SendOptions()
    ) -> Admission {
        if options.isNow && !isOpenForMessages { return queue.isSealed ? .closed : .notConnected }
        let admission = queue.enqueue(kind, payload, options)
        if let variables, case .accepted = admission { variables.observeOutgoing(kind, payload) }
        return admission
    }

    /// Takes a part of the message `id`; 0 begins a new one.
    package func enqueue(
        _ kind: MessageKind, part payload: UnsafeRawBufferPointer, of id: UInt64, isLast: Bool, _ options: SendOptions = SendOptions()
    ) -> Admission {
        queue.enqueue(kind, part: payload, of: id, isLast: isLast, options)
    }

    /// Takes a message that goes to others too, compressed once for all. It is of the present connection.
    package func enqueue(_ message: SharedMessage) -> Admission {
        guard isOpenForMessages else { return queue.isSealed ? .closed : .notConnected }
        let isCompressed = message.isCompressed && compression?.windowBits == SharedMessage.windowBits
        let admission = queue.enqueue(message, isCompressed: isCompressed, SendOptions(isNow: true))
        if let variables, case .accepted = admission { variables.observeOutgoing(message.kind, message.plain.bytes) }
        return admission
    }

    package func outcome(of id: UInt64) -> Outcome? { queue.outcome(of: id) }
    package var outcomeCounts: Outcomes.Counts { queue.outcomeCounts }
    package func cancel(_ id: UInt64) -> MessageQueue.Cancellation { queue.cancel(id) }

    /// True if something has become of messages that is to be reported.
    package var hasReports: Bool { queue.hasReports }
    package func takeReports() -> [OutcomeStretch] { queue.takeReports() }

    package var nextExpiry: Instant? { queue.nextExpiry }
    package func expire(_ now: Instant) { queue.expire(now) }

    /// True once after a message was refused for lack of space, when the queue has fallen below half of both limits.
    package func takeWritable() -> Bool { queue.takeWritable() }
    package var isWritableDue: Bool { queue.isWritableDue }

    package var isSealed: Bool { queue.isSealed }

    /// Refuses further messages; those queued are still sent.
    package func seal() {
        queue.seal()
    }

    /// Forgets what is queued: there will be no further connection.
    package func discardQueue() {
        queue.removeAll()
    }

    // MARK: The connection's side

    package func beginHandshake(_ text: [UInt8]) {
        mode = .handshake
        put { $0.append(text) }
    }

    /// Frames may be sent, compressed if that was agreed on; the queue waits.
    package func open(_ compression: Compression? = nil, epoch: UInt64 = 1) {
        mode = .open
        self.compression = compression
        self.epoch = epoch
    }

    /// Sends a message ahead of the queue, which waits for it.
    package func sendOpening(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) {
        _ = opening.enqueueOpening(kind, payload)
    }

    /// Sends a message that was kept after the others had been sent. Like all that waits it needs room.
    func sendKept(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Admission {
        queue.enqueueOpening(kind, payload)
    }

    func noteKeptSent() {
        hasSentKept = true
    }

    func forgetKeptSent() {
        hasSentKept = false
    }

    /// What opens the connection has been said: the queue follows.
    package func openQueue() {
        takesQueue = true
        isQueueHeld = false
    }

    /// Has no further message of the queue begin here.
    package func holdQueue() {
        takesQueue = false
        isQueueHeld = true
    }

    /// True if another connection waits for the queue, and can have it.
    package var isQueueReleased: Bool { mode == .open && !takesQueue && hasQueue && isQueueFree }

    /// True if what is on its way here is a message in parts, of which the application has given no more.
    var awaitsParts: Bool { wire.isEmpty && queue.awaitsParts }

    /// True if nothing of the queue's messages is on its way here: they can go by another connection.
    package var isQueueFree: Bool { !queue.hasBegun }

    /// The queue goes on by another connection, without the beats that follow it: they are of their own.
    func exchangeQueue(with other: Outbox) {
        queue.rewind(isTakenOver: true)
        other.queue.rewind(isTakenOver: true)
        swap(&queue, &other.queue)
        swap(&hasQueue, &other.hasQueue)
    }

    /// The connection takes messages, or the one that is about to replace it: it stands and is not closing.
    package var isOpenForMessages: Bool { mode == .open && (takesQueue || isQueueHeld) }

    /// Has the variables of a new connection learn from what waits to be sent on it.
    package func observeQueue() {
        if let variables, hasQueue { queue.forEachWhole { variables.observeOutgoing($0, $1) } }
    }

    /// The connection ended: everything not wholly handed to the kernel waits for the next one.
    package func connectionEnded() {
        mode = .offline
        wire.removeAll()
        marks.removeAll()
        (wireWritten, wireSent) = (0, 0)
        (epoch, messagesEncoded, messagesHandedOver) = (0, 0, 0)
        takesQueue = false
        isQueueHeld = false
        hasSentKept = false
        queue.rewind()
        opening.removeAll()
        compression = nil
        compressed.removeAll()
        hasForeignContext = false
        pendingBeats = []
        postponedPong = nil
        handedOver = []
        lastMessageSentAt = nil
        (unsentPings, unsentPongs, unsentBeats) = (0, 0, 0)
    }

    /// Sends a close frame after everything that is queued.
    package func closeAfterQueue(_ frame: CloseFrame) {
        guard case .open = mode else { return }
        mode = .closing(frame)
    }

    /// Sends a close frame ahead of everything that is not on the wire yet; nothing follows it.
    package func closeNow(_ frame: CloseFrame) {
        guard canSendFrames else { return }
        putClose(frame)
    }

    /// True once a close frame is on the wire or sent.
    package var hasClosed: Bool { mode == .closed }

    /// The kernel has all that was put on the wire.
    var hasSentAll: Bool { wire.isEmpty }

    /// True once the kernel has it.
    var hasSentClose: Bool { mode == .closed && wire.isEmpty }

    /// The bytes to write next; empty if there are none. Valid until the next mutation.
    @_optimize(speed)
    package func nextTransmit() -> UnsafeRawBufferPointer {
        if canSendFrames {
            if unsentPongs < Self.unsentControlFramesMax, let (payload, received) = postponedPong {
                payload.withUnsafeBytes { pong($0, received: received) }
            }
            // Bounded by what goes in as well: compressing much into little takes its time too.
            var taken = 0
            while wire.count < Self.wireTarget && taken < Self.wireTarget, let size = encodeNext() { taken &+= size }
        }
        return wire.bytes
    }

    /// The first `count` bytes of `nextTransmit` were handed to the kernel.
    @_optimize(speed)
    package func transmitted(_ count: Int, _ now: Instant) {
        wire.removeFirst(count)
        wireSent &+= UInt64(count)
        if mode != .handshake { metrics.bytesSent &+= UInt64(count) }
        let openings = queue.openingsSent
        let messages = queue.sent(upTo: wireSent)
        messagesHandedOver &+= messages &- (queue.openingsSent &- openings)
        let sent = messages &+ (opening.count > 0 ? opening.sent(upTo: wireSent) : 0)
        if sent > 0 {
            metrics.messagesSent &+= sent
            lastMessageSentAt = now
        }
        while !marks.isEmpty && marks[0].wireEnd <= wireSent, let passed = marks.popFirst() {
            tally(passed, now)
        }
    }
}
