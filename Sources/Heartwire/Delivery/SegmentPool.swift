/// Emptied segments of the usual size, kept for the next inbox that gets busy: giving fresh memory back to the system and faulting it in again
/// would cost more than the copying. Shared by all inboxes, so that idle ones hold nothing.
final class SegmentPool: @unchecked Sendable {
    private let lock = Lock()
    private var segments: [InboxSegment] = []

    private static let recordsMax = 1024
    private static let arenaSize = 131_072
    /// About three megabytes.
    private static let keptMax = 16

    nonisolated(unsafe) private(set) static var shared = SegmentPool()

    /// In the child of a fork: a thread of the parent's may have held the old pool's lock.
    static func renewAfterFork() {
        _ = Unmanaged.passRetained(shared)
        shared = SegmentPool()
    }

    /// A segment with room for many records and at least `size` bytes.
    func take(_ size: Int) -> InboxSegment {
        let kept = size <= Self.arenaSize ? lock.withLock { segments.popLast() } : nil
        return kept ?? InboxSegment(recordsMax: Self.recordsMax, arenaSize: max(size, Self.arenaSize))
    }

    /// Nobody looks at the segments' contents any more.
    func give(_ emptied: [InboxSegment]) {
        guard !emptied.isEmpty else { return }
        lock.withLock {
            for segment in emptied where segment.arenaSize == Self.arenaSize && segments.count < Self.keptMax {
                segment.reset()
                segments.append(segment)
            }
        }
    }
}
