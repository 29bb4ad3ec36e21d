import CSystem
import Session

/// A connection's stream in the poller, and the writing of the outbox to it. The connection's lock guards all of it but plain reads; only
/// the I/O thread attaches and closes.
struct Transport {
    private let poller: Poller
    private(set) var stream: Stream?
    /// Identifies the stream in the poller's events.
    private var data: UInt64 = 0
    private var interest: Poller.Interest = []
    private var isInPoller = false
    /// Why nothing more can be written; what was received before is still to be read.
    private(set) var writeFailure: TransportFailure?
    /// TLS cannot write before it has read more; being writable says nothing then.
    private var writeWaitsForRead = false
    /// TLS cannot read before it has written.
    private var readWaitsForWrite = false

    /// Writes after which a flush leaves the rest to the I/O thread's next turn: the lock is held meanwhile, and others wait for it.
    private static let writesMax = 4

    init(poller: Poller) {
        self.poller = poller
    }

    /// Takes over a stream that the connector has put into the poller.
    mutating func attach(_ stream: Stream, data: UInt64) {
        self.stream = stream
        self.data = data
        isInPoller = true
        interest = []
        set(.readable)
    }

    /// Takes over a client's stream.
    mutating func accept(_ stream: Stream, data: UInt64) {
        self.stream = stream
        self.data = data
        set(.readable)
    }

    /// Gives the stream to somebody else.
    mutating func release() -> Stream? {
        leavePoller()
        defer { stream = nil }
        return stream
    }

    mutating func close() {
        if let stream {
            if isInPoller { poller.remove(stream.fd) }
            stream.close()
        }
        stream = nil
        writeFailure = nil
        (writeWaitsForRead, readWaitsForWrite) = (false, false)
        isInPoller = false
        interest = []
    }

    /// True while the socket has taken less than it was offered.
    var waitsToWrite: Bool { interest.contains(.writable) || writeWaitsForRead }

    /// Writes until the outbox is empty, the socket takes no more, or it is the others' turn; false if the stream has just broken.
    mutating func flush(_ outbox: Outbox) -> Bool {
        guard let stream, writeFailure == nil else { return true }
        writeWaitsForRead = false
        // However late the timers are, no message goes whose time has run out.
        if outbox.nextExpiry != nil { outbox.expire(Clock.now()) }
        for _ in 0..<Self.writesMax {
            let bytes = outbox.nextTransmit()
            if bytes.isEmpty {
                waitUntilWritable(readWaitsForWrite)
                return true
            }
            switch stream.write(bytes) {
            case .bytes(let count):
                outbox.transmitted(count, Clock.now())
            case .wouldBlock:
                waitUntilWritable(true)
                return true
            case .wouldBlockOnOpposite:
                writeWaitsForRead = true
                waitUntilWritable(false)
                return true
            case .ended(let failure):
                writeFailure = failure
                waitUntilWritable(false)
                return false
            }
        }
        waitUntilWritable(true)
        return true
    }

    /// A read found that TLS must write first: the next time the socket is writable, read again.
    mutating func readAgainWhenWritable() {
        readWaitsForWrite = true
        waitUntilWritable(true)
    }

    /// True once after `readAgainWhenWritable`.
    mutating func takeReadWaitsForWrite() -> Bool {
        defer { readWaitsForWrite = false }
        return readWaitsForWrite
    }

    private mutating func waitUntilWritable(_ waits: Bool) {
        set(waits ? interest.union(.writable) : interest.subtracting(.writable))
    }

    mutating func pauseReading() {
        set(interest.subtracting(.readable))
    }

    mutating func resumeReading() {
        set(interest.union(.readable))
    }

    /// Leaves the poller, which would report a broken stream again and again, until reading resumes.
    mutating func leavePoller() {
        if let stream, isInPoller { poller.remove(stream.fd) }
        isInPoller = false
    }

    private mutating func set(_ new: Poller.Interest) {
        guard let stream, new != interest || !isInPoller else { return }
        interest = new
        if isInPoller {
            poller.modify(stream.fd, new, data: data)
        } else if new.contains(.readable) {
            isInPoller = poller.add(stream.fd, new, data: data)
        }
    }
}
