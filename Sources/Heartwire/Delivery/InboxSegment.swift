import CHeartwire
import WebSocket

/// A stretch of an inbox: delivery records and the bytes they refer to, in one block that never moves.
final class InboxSegment {
    private let allocation: Allocation
    private let records: UnsafeMutablePointer<hw_delivery>
    private let arena: UnsafeMutableRawPointer
    private let recordsMax: Int
    let arenaSize: Int
    /// True if this segment is for events, else it is for messages.
    let holdsEvents: Bool
    private var arenaUsed = 0
    private(set) var count = 0
    private(set) var taken = 0
    /// Records that are neither taken nor dropped.
    private(set) var live = 0
    /// Records before this one have been looked at for dropping.
    private var dropCursor = 0

    init(recordsMax: Int, arenaSize: Int, holdsEvents: Bool = false) {
        self.holdsEvents = holdsEvents
        self.recordsMax = recordsMax
        self.arenaSize = arenaSize
        let recordBytes = recordsMax * MemoryLayout<hw_delivery>.stride
        allocation = Allocation(byteCount: recordBytes + arenaSize)
        records = allocation.base.bindMemory(to: hw_delivery.self, capacity: recordsMax)
        arena = allocation.base + recordBytes
    }

    /// Empties the segment for its next use.
    func reset() {
        (arenaUsed, count, taken, live, dropCursor) = (0, 0, 0, 0, 0)
    }

    /// True if there is a message to take or to drop.
    var hasMessages: Bool { !holdsEvents && live > 0 }

    var isExhausted: Bool { taken == count }

    func hasRoom(_ size: Int) -> Bool { count < recordsMax && arenaSize &- arenaUsed >= size }

    /// Copies a message behind the last one. The caller has asked `hasRoom`.
    @inline(__always)
    @_optimize(speed)
    func append(_ message: Message, _ origin: DeliveryOrigin) {
        let target = arena + arenaUsed
        let size = message.payload.count
        if let base = message.payload.baseAddress { target.copyMemory(from: base, byteCount: size) }
        arenaUsed &+= size
        (records + count).initialize(
            to: hw_delivery(
                connection: origin.handle, context: origin.context,
                message: origin.message(message, at: UnsafePointer(target.assumingMemoryBound(to: UInt8.self))), event: nil))
        count &+= 1
        live &+= 1
    }

    /// Room that an event needs, alignment included.
    static func size(_ record: EventRecord) -> Int { record.size + MemoryLayout<hw_event>.alignment }

    /// Lays out an event behind the last record; gives the place where it stands.
    func append(_ record: EventRecord, _ origin: DeliveryOrigin) -> UnsafeMutablePointer<hw_event> {
        let alignment = MemoryLayout<hw_event>.alignment
        arenaUsed = (arenaUsed + alignment - 1) & ~(alignment - 1)
        let event = record.write(to: arena + arenaUsed)
        arenaUsed += record.size
        (records + count).initialize(
            to: hw_delivery(connection: origin.handle, context: origin.context, message: hw_message(), event: event))
        count += 1
        live += 1
        return event
    }

    /// Takes the next record; nil for a message that was dropped.
    @_optimize(speed)
    func take() -> hw_delivery? {
        let record = records[taken]
        taken &+= 1
        if record.event == nil && record.message.data == nil { return nil }
        live &-= 1
        return record
    }

    /// Drops the oldest message here that has not been taken; gives its size, or nil if there is none.
    func dropOldestMessage() -> Int? {
        dropCursor = max(dropCursor, taken)
        while dropCursor < count {
            let index = dropCursor
            dropCursor += 1
            if records[index].event == nil {
                records[index].message.data = nil
                live -= 1
                return records[index].message.size
            }
        }
        return nil
    }
}

/// Where deliveries come from, the same for a whole read.
struct DeliveryOrigin {
    let handle: OpaquePointer?
    let context: UnsafeMutableRawPointer?
    let epoch: UInt64
    let receivedNs: UInt64

    @inline(__always)
    func message(_ message: Message, at data: UnsafePointer<UInt8>) -> hw_message {
        hw_message(
            kind: hw_kind(message.kind.rawValue), flags: UInt32(message.part.rawValue), data: data, size: message.payload.count,
            received_ns: receivedNs,
            epoch: epoch)
    }
}
