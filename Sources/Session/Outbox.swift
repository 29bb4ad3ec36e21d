import Heartbeat
import WebSocket

/// Everything on its way out: the bounded first-in first-out queue of the application's messages, and the bytes being written now.
///
/// Messages stay in the queue until the kernel has all their bytes; what a broken connection cut short is encoded anew for the next one.
/// Control frames and beats go ahead of queued messages. The wire holds whole frames only, and few of them, so a control frame never waits
/// behind more than `wireTarget` and one fragment. The owner guards an outbox with a lock: senders and the I/O thread share it.
package struct Outbox: ~Copyable {
    package struct Limits {
        package var messagesMax: Int
        package var bytesMax: Int
        package var fragmentSize: Int

        package init(messagesMax: Int, bytesMax: Int, fragmentSize: Int) {
            self.messagesMax = messagesMax
            self.bytesMax = bytesMax
            self.fragmentSize = fragmentSize
        }
    }

    package enum Admission: Equatable {
        case accepted(id: UInt64)
        case full
        case tooLarge
        case closed
    }

    private enum Mode: Equatable {
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

    private struct Entry: BitwiseCopyable {
        let kind: MessageKind
        let size: Int
        /// Position in the connection's outgoing bytes where the message ends; set when it has been encoded.
        var wireEnd: UInt64 = 0
    }

    private enum Mark: BitwiseCopyable {
        case ping
        case pong
        case beat
    }

    private struct MarkedPosition: BitwiseCopyable {
        let mark: Mark
        let wireEnd: UInt64
    }

    private var mode = Mode.offline
    private var acceptsMessages = true
    private let limits: Limits
    private let role: Role
    private var keys: MaskingKeys

    private var entries = RingQueue<Entry>()
    private var payloads = ByteQueue()
    private var lastId: UInt64 = 0
    private var refusedForSpace = false

    private var wire = ByteQueue()
    /// Bytes ever put on this connection's wire, and taken from it.
    private var wireWritten: UInt64 = 0
    private var wireSent: UInt64 = 0
    private var marks = RingQueue<MarkedPosition>()
    private var encodedEntries = 0
    private var encodedBytes = 0
    /// Bytes of the entry at `encodedEntries` that are in fragments on the wire already.
    private var fragmentedBytes = 0
    private var pendingBeat: PayloadBeat.Configuration?
    private var unsentPings = 0
    private var unsentPongs = 0
    private var unsentBeats = 0
    private var postponedPong: [UInt8]?

    package private(set) var metrics = OutboxMetrics()

    private static let wireTarget = 65536
    /// Pings and pongs that may each wait on the wire while the peer does not read. Beyond it only the latest of the peer's pings is answered
    /// (RFC 6455 section 5.5.3), so a flood of them cannot grow memory.
    private static let unsentControlFramesMax = 64

    package init(role: Role, limits: Limits, fillRandom: @escaping (UnsafeMutableRawBufferPointer) -> Void) {
        self.role = role
        self.limits = limits
        keys = MaskingKeys(fillRandom: fillRandom)
    }

    package var queuedMessages: Int { entries.count }
    package var queuedBytes: Int { payloads.count }

    // MARK: The application's side

    package mutating func enqueue(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Admission {
        guard acceptsMessages else { return .closed }
        guard payload.count <= limits.bytesMax else { return .tooLarge }
        guard entries.count < limits.messagesMax, payload.count <= limits.bytesMax &- payloads.count else {
            refusedForSpace = true
            return .full
        }
        entries.append(Entry(kind: kind, size: payload.count))
        payloads.append(payload)
        lastId &+= 1
        return .accepted(id: lastId)
    }

    /// True once after a message was refused for lack of space, when the queue has fallen below half of both limits.
    package mutating func takeWritable() -> Bool {
        guard refusedForSpace, entries.count <= limits.messagesMax / 2, payloads.count <= limits.bytesMax / 2 else { return false }
        refusedForSpace = false
        return true
    }

    /// Refuses further messages; those queued are still sent.
    package mutating func seal() {
        acceptsMessages = false
    }

    /// Forgets what is queued: there will be no further connection.
    package mutating func discardQueue() {
        refusedForSpace = false
        entries.removeAll()
        payloads.removeAll()
    }

    // MARK: The connection's side

    package mutating func beginHandshake(_ request: [UInt8]) {
        mode = .handshake
        put { $0.append(request) }
    }

    package mutating func open() {
        mode = .open
    }

    /// The connection ended: everything not wholly handed to the kernel waits for the next one.
    package mutating func connectionEnded() {
        mode = .offline
        wire.removeAll()
        marks.removeAll()
        (wireWritten, wireSent) = (0, 0)
        (encodedEntries, encodedBytes, fragmentedBytes) = (0, 0, 0)
        (pendingBeat, postponedPong) = (nil, nil)
        (unsentPings, unsentPongs, unsentBeats) = (0, 0, 0)
    }

    /// A ping that finds many before it still unsent is left out: it could say no more than they do.
    package mutating func ping(_ payload: UInt64) {
        guard canSendFrames, unsentPings < Self.unsentControlFramesMax else { return }
        unsentPings &+= 1
        withUnsafeBytes(of: payload.bigEndian) { putFrame(.ping, isFinal: true, $0) }
        marks.append(MarkedPosition(mark: .ping, wireEnd: wireWritten))
    }

    package mutating func pong(_ payload: UnsafeRawBufferPointer) {
        guard canSendFrames else { return }
        guard unsentPongs < Self.unsentControlFramesMax else {
            postponedPong = [UInt8](payload)
            return
        }
        putFrame(.pong, isFinal: true, payload)
        unsentPongs &+= 1
        marks.append(MarkedPosition(mark: .pong, wireEnd: wireWritten))
    }

    /// A beat that has not left yet makes another superfluous.
    package mutating func beat(_ beat: PayloadBeat.Configuration) {
        guard case .open = mode, unsentBeats == 0 else { return }
        pendingBeat = beat
        putPendingBeat()
    }

    /// Sends a close frame after everything that is queued.
    package mutating func closeAfterQueue(_ frame: CloseFrame) {
        guard case .open = mode else { return }
        mode = .closing(frame)
    }

    /// Sends a close frame ahead of everything that is not on the wire yet; nothing follows it.
    package mutating func closeNow(_ frame: CloseFrame) {
        guard canSendFrames else { return }
        putClose(frame)
    }

    /// True once a close frame is on the wire or sent.
    package var hasClosed: Bool { mode == .closed }

    /// The bytes to write next; empty if there are none. Valid until the next mutation.
    package mutating func nextTransmit() -> UnsafeRawBufferPointer {
        if canSendFrames {
            while wire.count < Self.wireTarget && encodeNext() {}
        }
        return wire.bytes
    }

    /// The first `count` bytes of `nextTransmit` were handed to the kernel.
    package mutating func transmitted(_ count: Int) {
        wire.removeFirst(count)
        wireSent &+= UInt64(count)
        if mode != .handshake { metrics.bytesSent &+= UInt64(count) }
        while encodedEntries > 0 && entries[0].wireEnd <= wireSent, let entry = entries.popFirst() {
            payloads.removeFirst(entry.size)
            encodedEntries &-= 1
            encodedBytes &-= entry.size
            metrics.messagesSent &+= 1
        }
        while !marks.isEmpty && marks[0].wireEnd <= wireSent, let passed = marks.popFirst() {
            tally(passed.mark)
        }
        if let payload = postponedPong, unsentPongs < Self.unsentControlFramesMax {
            postponedPong = nil
            payload.withUnsafeBytes { pong($0) }
        }
    }

    // MARK: Encoding

    private var canSendFrames: Bool {
        switch mode {
        case .open, .closing: true
        case .offline, .handshake, .closed: false
        }
    }

    private mutating func tally(_ mark: Mark) {
        switch mark {
        case .ping:
            metrics.beatsSent &+= 1
            unsentPings &-= 1
        case .pong:
            metrics.pongsSent &+= 1
            unsentPongs &-= 1
        case .beat:
            unsentBeats &-= 1
            metrics.beatsSent &+= 1
            metrics.messagesSent &+= 1
        }
    }

    /// Puts the next frame of the queue on the wire; false if nothing is left to put there.
    private mutating func encodeNext() -> Bool {
        putPendingBeat()
        guard encodedEntries < entries.count else {
            if case .closing(let frame) = mode { putClose(frame) }
            return false
        }
        let entry = entries[encodedEntries]
        let size = min(entry.size &- fragmentedBytes, limits.fragmentSize)
        let isFinal = fragmentedBytes &+ size == entry.size
        let start = encodedBytes &+ fragmentedBytes
        let fragment = UnsafeRawBufferPointer(rebasing: payloads.bytes[start..<(start &+ size)])
        putFrame(fragmentedBytes == 0 ? entry.kind.opcode : .continuation, isFinal: isFinal, fragment)
        if isFinal {
            entries[encodedEntries].wireEnd = wireWritten
            encodedEntries &+= 1
            encodedBytes &+= entry.size
            fragmentedBytes = 0
        } else {
            fragmentedBytes &+= size
        }
        return true
    }

    /// A beat is a data frame, so it may not stand between the fragments of a message (RFC 6455 section 5.4).
    private mutating func putPendingBeat() {
        guard let beat = pendingBeat, fragmentedBytes == 0 else { return }
        pendingBeat = nil
        unsentBeats &+= 1
        beat.payload.withUnsafeBytes { putFrame(beat.kind.opcode, isFinal: true, $0) }
        marks.append(MarkedPosition(mark: .beat, wireEnd: wireWritten))
    }

    private mutating func putClose(_ frame: CloseFrame) {
        frame.payload.withUnsafeBytes { putFrame(.close, isFinal: true, $0) }
        mode = .closed
    }

    private mutating func putFrame(_ opcode: Opcode, isFinal: Bool, _ payload: UnsafeRawBufferPointer) {
        let key: MaskingKey? =
            switch role {
            case .client: keys.next()
            case .server: nil
            }
        put { FrameWriter.append(opcode: opcode, isFinal: isFinal, payload: payload, maskingKey: key, to: &$0) }
    }

    private mutating func put(_ write: (inout ByteQueue) -> Void) {
        let before = wire.count
        write(&wire)
        wireWritten &+= UInt64(wire.count &- before)
    }
}
