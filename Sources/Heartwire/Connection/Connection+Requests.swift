import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// What the host asks of a connection, from any of its threads.
extension Connection {
    func send(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ options: SendOptions) -> Outbox.Admission {
        send { $0.enqueue(kind, payload, options) }
    }

    /// Sends a part of the message `id`; 0 begins a new one.
    func send(
        _ kind: MessageKind, part payload: UnsafeRawBufferPointer, of id: UInt64, isLast: Bool, _ options: SendOptions
    ) -> Outbox.Admission {
        send { $0.enqueue(kind, part: payload, of: id, isLast: isLast, options) }
    }

    /// Sends a message that others are sent too; false if it was not taken.
    func send(_ message: SharedMessage) -> Bool {
        if case .accepted = send({ $0.enqueue(message) }) { true } else { false }
    }

    enum Broadcast {
        case refused
        /// It leaves with what waits already, or has left.
        case taken
        /// The I/O thread is to be asked for `flushBroadcasts`.
        case waits
    }

    /// Takes a message that others are sent too, for the I/O thread to write: what is broadcast in quick succession leaves in one piece. So
    /// much of it that it would fill the queue is written at once.
    func take(_ message: SharedMessage) -> Broadcast {
        turnstile.withLock {
            lock.withLock { () -> Broadcast in
                let outbox = outboxes[outboxes.active]
                defer { if outbox.isWritableDue { askForAttention() } }
                guard case .accepted = outbox.enqueue(message) else { return .refused }
                if outbox.queuedMessages > Self.unflushedMessagesMax || outbox.queuedBytes > Self.unflushedBytesMax {
                    flushAsSender(outboxes.active)
                    return .taken
                }
                defer { awaitsFlush = true }
                return awaitsFlush ? .taken : .waits
            }
        }
    }

    private static let unflushedMessagesMax = 32
    private static let unflushedBytesMax = 16384

    /// On the I/O thread.
    func flushBroadcasts() {
        lock.withLock {
            awaitsFlush = false
            flushAsSender(outboxes.active)
            if outboxes[outboxes.active].isWritableDue { askForAttention() }
        }
    }

    func send(_ enqueue: (Outbox) -> Outbox.Admission) -> Outbox.Admission {
        turnstile.withLock {
            lock.withLock { () -> Outbox.Admission in
                let admission = enqueue(outboxes[outboxes.active])
                if case .accepted = admission { flushAsSender(outboxes.active) }
                // What was refused, or what this thread has written, can be all that the host waits for.
                if outboxes[outboxes.active].isWritableDue { askForAttention() }
                return admission
            }
        }
    }

    /// Under the lock: writes what this thread has put into the outbox, and has the I/O thread look at what came of it.
    func flushAsSender(_ place: LinkPlace) {
        guard let outbox = outboxes.existing(place) else { return }
        let channel = channel(place)
        if !channel.transport.waitsToWrite && !channel.transport.flush(outbox) { io.post(.broken(self, serial: channel.serial)) }
        if outbox.hasHandedOver || outbox.hasReports || outbox.nextExpiry != nil || outbox.isQueueReleased { askForAttention() }
    }

    func outcome(of id: UInt64) -> Outcome? {
        lock.withLock { outboxes[outboxes.active].outcome(of: id) }
    }

    /// Keeps a message that every new connection is sent; nil takes the one under this key away.
    func keep(_ key: UnsafeRawBufferPointer, _ message: (kind: MessageKind, payload: UnsafeRawBufferPointer)?) -> Outbox.Admission {
        turnstile.withLock {
            lock.withLock { () -> Outbox.Admission in
                guard let message else { return outboxes.unkeep(key) }
                let admission = outboxes.keep(key, message.kind, message.payload)
                if case .accepted = admission {
                    flushAsSender(.first)
                    flushAsSender(.second)
                }
                if outboxes[outboxes.active].isWritableDue { askForAttention() }
                return admission
            }
        }
    }

    /// False if the connection has ended or is closing.
    func rotate() -> Bool {
        guard !lock.withLock({ isSealed }) else { return false }
        io.post(.rotate(self))
        return true
    }

    /// Takes back a message.
    func cancel(_ id: UInt64) -> MessageQueue.Cancellation {
        lock.withLock { () -> MessageQueue.Cancellation in
            defer { if outboxes[outboxes.active].hasReports { askForAttention() } }
            return outboxes[outboxes.active].cancel(id)
        }
    }

    /// Under the lock: has the I/O thread look at what other threads have done, once however much that is.
    func askForAttention() {
        guard !awaitsAttention else { return }
        awaitsAttention = true
        io.post(.attend(self))
    }

    enum Response {
        case taken
        /// Too many answers wait already.
        case noRoom
        /// The request came by a connection that is over or closing.
        case tooLate
    }

    /// Sends the host's answer to a heartbeat request of the connection `epoch`.
    func respond(_ answer: OutgoingHeartbeat, epoch: UInt64) -> Response {
        turnstile.withLock {
            lock.withLock { () -> Response in
                guard let place = outboxes.place(ofEpoch: epoch), !isSealed else { return .tooLate }
                if !outboxes[place].heartbeat(answer) {
                    flushAsSender(place)
                    guard outboxes[place].heartbeat(answer) else { return .noRoom }
                }
                flushAsSender(place)
                return .taken
            }
        }
    }

    /// False if the connection `epoch`, where the host has detected something, is over or closing.
    @inline(never)
    func detected(_ detection: Detection, epoch: UInt64) -> Bool {
        lock.withLock { () -> Bool in
            guard outboxes.place(ofEpoch: epoch) != nil, !isSealed else { return false }
            note(detection, epoch)
            return true
        }
    }

    /// Under the lock. Of more than can be told one by one the rest is left out: they come faster than any heartbeat.
    func note(_ detection: Detection, _ epoch: UInt64) {
        guard detections.count < Self.detectionsMax else { return }
        detections.append((detection, epoch))
        askForAttention()
    }

    /// Under the lock: the application has closed the connection, or it has ended.
    var isSealed: Bool { outboxes[outboxes.active].isSealed }

    /// False if the attempt is over, or was answered.
    func awaitsAnswer(_ attemptId: UInt64) -> Bool {
        lock.withLock { isAwaited(attemptId) }
    }

    /// Under the lock.
    func isAwaited(_ attemptId: UInt64) -> Bool {
        attemptId > 0 && (published.preparing.0 == attemptId || published.preparing.1 == attemptId)
            && !answers.contains { $0.attemptId == attemptId } && !decisions.contains { $0.attemptId == attemptId }
    }

    /// Has what a wss URL needs, also if the connection was not opened with one.
    func prepareTLS() throws(ErrorDetails) {
        if tlsClient != nil { return }
        let client = try TLSClient(plan.settings, url: plan.session.url, contexts: plan.tlsContexts)
        lock.withLock { if tls == nil { tls = client } }
    }

    var tlsClient: TLSClient? { lock.withLock { tls } }

    /// The client is let in, or turned away; false if it has gone, or was answered.
    func decide(_ attemptId: UInt64, refusal: AcceptFailure?) -> Bool {
        lock.withLock { () -> Bool in
            guard isAwaited(attemptId) else { return false }
            decisions.append((attemptId, refusal))
            askForAttention()
            return true
        }
    }

    /// The attempt goes on; false if it is over, or was answered.
    func proceed(_ attemptId: UInt64, _ prepared: PreparedAttempt) -> Bool {
        lock.withLock { () -> Bool in
            guard isAwaited(attemptId) else { return false }
            answers.append((attemptId, prepared))
            askForAttention()
            return true
        }
    }
}
