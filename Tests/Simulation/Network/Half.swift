import Heartbeat

/// One direction of a line: bytes that the sender's kernel has taken, on their way into a bounded buffer of the receiver's.
///
/// Nothing is lost or changes places, as TCP promises; but bytes come late, stand still, come in shreds, or not at all any more.
final class Half {
    struct Quality {
        var latency = Interval.milliseconds(1)
        var bytesPerSecond = 100_000_000
        var sendBuffer = 65536
        var receiveBuffer = 65536
        /// Writes are taken and reads are given in pieces of at most this size.
        var pieceMax = Int.max
    }

    private struct Segment {
        let bytes: [UInt8]
        var taken = 0
        var arrival: Instant
    }

    var quality: Quality
    /// Nothing arrives before this moment.
    private(set) var heldUntil = Instant(nanoseconds: 0)
    /// So many bytes more arrive; then `onCut`.
    private var bytesUntilCut: Int?
    var onCut: () -> Void = {}
    var onReadable: () -> Void = {}
    var onWritable: () -> Void = {}

    private let timeline: Timeline
    private let dice: Dice
    private var segments: [Segment] = []
    private var firstSegment = 0
    private var bytesUnderway = 0
    private var lastArrival = Instant(nanoseconds: 0)
    private var arrived: [UInt8] = []
    private var readOffset = 0
    /// When the bytes up to a position were taken over from the sender, oldest first.
    private var acceptances: [(end: UInt64, time: Instant)] = []
    private var firstAcceptance = 0
    /// Called when the bytes up to a position have arrived, in the order of the positions.
    private var marks: [(end: UInt64, then: (Instant) -> Void)] = []
    private(set) var bytesAccepted: UInt64 = 0
    private(set) var bytesArrived: UInt64 = 0
    private(set) var lastArrivedAt: Instant?
    private var isScheduled = false
    /// The sender was refused room and waits for it.
    private(set) var isBlocked = false
    private(set) var isFinished = false
    private var hasToldEnd = false
    private(set) var isDead = false

    init(_ timeline: Timeline, _ dice: Dice, _ quality: Quality) {
        self.timeline = timeline
        self.dice = dice
        self.quality = quality
    }

    // MARK: The sender's end

    /// Takes as much as there is room for.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = min(bytes.count, quality.sendBuffer - bytesUnderway, pieceSize(of: bytes.count))
        guard count > 0, !isFinished, !isDead else {
            isBlocked = true
            return 0
        }
        let wire = Interval(nanoseconds: Int64(count) * 1_000_000_000 / Int64(quality.bytesPerSecond))
        lastArrival = max(lastArrival, timeline.now + quality.latency) + wire
        segments.append(Segment(bytes: [UInt8](bytes.prefix(count)), arrival: lastArrival))
        bytesUnderway += count
        bytesAccepted += UInt64(count)
        acceptances.append((bytesAccepted, timeline.now))
        schedule()
        return count
    }

    /// Many bytes are not cut into crumbs one by one, or a run would never end.
    private func pieceSize(of count: Int) -> Int {
        quality.pieceMax == .max ? count : max(dice.between(1, quality.pieceMax), count / 32)
    }

    /// The sender says nothing more.
    func finish() {
        guard !isFinished else { return }
        isFinished = true
        schedule()
    }

    /// When the byte before `position` was taken over from the sender; ask in the order of the positions.
    func accepted(upTo position: UInt64) -> Instant {
        while firstAcceptance + 1 < acceptances.count, acceptances[firstAcceptance].end < position { firstAcceptance += 1 }
        if firstAcceptance > 1000 {
            acceptances.removeFirst(firstAcceptance)
            firstAcceptance = 0
        }
        return firstAcceptance < acceptances.count ? acceptances[firstAcceptance].time : timeline.now
    }

    /// Calls `then` when the byte before `position` has arrived; ask in the order of the positions.
    func mark(at position: UInt64, _ then: @escaping (Instant) -> Void) { marks.append((position, then)) }

    // MARK: The receiver's end

    var readable: Int { arrived.count - readOffset }
    /// The sender has finished and everything was read.
    var isAtEnd: Bool { isFinished && segments.count == firstSegment && readable == 0 }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(readable, buffer.count, pieceSize(of: readable))
        arrived.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[readOffset..<(readOffset + count)])) }
        readOffset += count
        if readOffset == arrived.count {
            arrived.removeAll(keepingCapacity: true)
            readOffset = 0
        } else if readOffset > 65536 {
            arrived.removeFirst(readOffset)
            readOffset = 0
        }
        schedule()
        return count
    }

    /// What was on its way or not read yet; nothing of it will be read.
    func takeUnread() -> [UInt8] {
        var bytes = [UInt8](arrived[readOffset...])
        for segment in segments[firstSegment...] { bytes += segment.bytes[segment.taken...] }
        arrived = []
        readOffset = 0
        dropSegments()
        return bytes
    }

    // MARK: The network

    /// Nothing arrives for so long.
    func hold(until time: Instant) {
        heldUntil = max(heldUntil, time)
    }

    /// What is held, or on a slow way, comes at once.
    func release() {
        heldUntil = timeline.now
        lastArrival = min(lastArrival, timeline.now + quality.latency)
        for index in segments.indices { segments[index].arrival = min(segments[index].arrival, lastArrival) }
        isScheduled = false
        schedule()
    }

    func cut(afterBytes count: Int) { bytesUntilCut = count }

    func kill() {
        isDead = true
        dropSegments()
        marks = []
        (onReadable, onWritable, onCut) = ({}, {}, {})
    }

    private func dropSegments() {
        segments = []
        firstSegment = 0
        bytesUnderway = 0
    }

    private func schedule() {
        guard !isScheduled, !isDead else { return }
        let arrival: Instant
        if firstSegment < segments.count {
            guard readable < quality.receiveBuffer else { return }
            arrival = segments[firstSegment].arrival
        } else {
            guard isFinished, !hasToldEnd else { return }
            arrival = max(lastArrival, timeline.now + quality.latency)
        }
        isScheduled = true
        guard max(arrival, heldUntil) < .never else { return }
        timeline.at(max(arrival, heldUntil)) { [self] in arrive() }
    }

    private func arrive() {
        guard !isDead else { return }
        isScheduled = false
        guard timeline.now >= heldUntil else { return schedule() }
        let before = bytesArrived
        while firstSegment < segments.count, segments[firstSegment].arrival <= timeline.now, takeArrived() {}
        if firstSegment == segments.count { dropSegments() }
        if bytesUntilCut == 0 { return onCut() }
        if bytesArrived > before {
            lastArrivedAt = timeline.now
            while let mark = marks.first, mark.end <= bytesArrived {
                marks.removeFirst()
                mark.then(timeline.now)
            }
        }
        let isEnd = isFinished && !hasToldEnd && firstSegment == segments.count
        if isEnd { hasToldEnd = true }
        schedule()
        if bytesArrived > before || isEnd { onReadable() }
        if isBlocked, !isDead, bytesUnderway <= quality.sendBuffer / 2 {
            isBlocked = false
            onWritable()
        }
    }

    /// Moves bytes of the first segment into the receiver's buffer; false if there is no more room.
    private func takeArrived() -> Bool {
        let segment = segments[firstSegment]
        let count = min(segment.bytes.count - segment.taken, quality.receiveBuffer - readable, bytesUntilCut ?? .max)
        guard count > 0 else { return false }
        arrived += segment.bytes[segment.taken..<(segment.taken + count)]
        bytesArrived += UInt64(count)
        bytesUnderway -= count
        if let left = bytesUntilCut { bytesUntilCut = left - count }
        if segment.taken + count == segment.bytes.count { firstSegment += 1 } else { segments[firstSegment].taken += count }
        return true
    }
}

extension Instant {
    static let never = Instant(nanoseconds: .max)
}
