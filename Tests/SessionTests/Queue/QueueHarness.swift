/// A message queue, and a wire on which every frame has a header of two bytes.
import Heartbeat
import WebSocket

@testable import Session

final class QueueHarness {
    var queue: MessageQueue
    private(set) var wireWritten: UInt64 = 0
    private(set) var wireSent: UInt64 = 0
    private var begun: [UInt8] = []

    static let headerSize = 2

    init(
        messagesMax: Int = 1000, bytesMax: Int = 1 << 20, overflow: MessageQueue.Overflow = .reject, holdsDrafts: Bool = false
    ) {
        queue = MessageQueue(
            limits: .init(messagesMax: messagesMax, bytesMax: bytesMax, overflow: overflow), holdsDrafts: holdsDrafts)
    }

    @discardableResult
    func send(_ payload: [UInt8], now: Bool = false, reported: Bool = false, expiry: Int64? = nil) -> Outbox.Admission {
        payload.withUnsafeBytes { queue.enqueue(.binary, $0, options(now, reported, expiry)) }
    }

    @discardableResult
    func part(_ payload: [UInt8], of id: UInt64 = 0, isLast: Bool = false, expiry: Int64? = nil) -> Outbox.Admission {
        payload.withUnsafeBytes { queue.enqueue(.binary, part: $0, of: id, isLast: isLast, options(false, false, expiry)) }
    }

    @discardableResult
    func sendOpening(_ payload: [UInt8]) -> Outbox.Admission {
        payload.withUnsafeBytes { queue.enqueueOpening(.text, $0) }
    }

    private func options(_ now: Bool, _ reported: Bool, _ expiry: Int64?) -> SendOptions {
        SendOptions(isNow: now, isReported: reported, expiry: expiry.map { Instant(nanoseconds: $0) })
    }

    func expire(_ now: Int64) {
        queue.expire(Instant(nanoseconds: now))
    }

    var nextExpiry: Int64? { queue.nextExpiry?.nanoseconds }
    func cancel(_ id: UInt64) -> MessageQueue.Cancellation { queue.cancel(id) }
    func outcome(_ id: UInt64) -> Outcome? { queue.outcome(of: id) }
    func outcomes(_ ids: ClosedRange<UInt64>) -> [Outcome?] { ids.map { outcome($0) } }
    func takeReports() -> [OutcomeStretch] { queue.takeReports() }
    func takeWritable() -> Bool { queue.takeWritable() }

    /// Puts one fragment on the wire. Gives its bytes, and whether it ends its message; nil if there was none.
    func encodeFragment(sizeMax: Int = .max) -> (bytes: [UInt8], isFinal: Bool)? {
        guard let fragment = queue.nextFragment(sizeMax: sizeMax, wireWritten: wireWritten) else { return nil }
        let (bytes, isFinal) = ([UInt8](fragment.bytes), fragment.isFinal)
        wireWritten += UInt64(Self.headerSize + bytes.count)
        queue.encoded(bytes.count, isFinal: isFinal, wireEnd: wireWritten)
        return (bytes, isFinal)
    }

    /// Puts all there is on the wire. Gives the messages that end there.
    func encode() -> [[UInt8]] {
        var messages: [[UInt8]] = []
        while let (bytes, isFinal) = encodeFragment() {
            begun += bytes
            guard isFinal else { continue }
            messages.append(begun)
            begun = []
        }
        return messages
    }

    /// Hands over at most `limit` bytes of the wire. Gives the number of messages that went.
    @discardableResult
    func transmit(_ limit: UInt64 = .max) -> UInt64 {
        wireSent += min(limit, wireWritten - wireSent)
        return queue.sent(upTo: wireSent)
    }

    /// The connection ends, broken or not.
    func endConnection(isTakenOver: Bool = false) {
        (wireWritten, wireSent, begun) = (0, 0, [])
        queue.rewind(isTakenOver: isTakenOver)
    }
}
