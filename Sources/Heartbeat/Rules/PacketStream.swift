import WebSocket

/// The MQTT packets in a stream of binary messages (MQTT 3.1.1 section 2.2: a byte, the length of the rest in up to four, the rest).
///
/// A small packet that messages cut is put together again, among them every PINGRESP; a larger one is passed over, as no rule could ask for
/// it without keeping it.
struct PacketStream {
    static let carriedMax = 64
    private static let lengthSizeMax = 4

    private let storage = Allocation(byteCount: carriedMax)
    /// The bytes of a cut packet that are kept.
    private var carried = 0
    /// The bytes still to come of a packet that is passed over.
    private var passedOver = 0

    /// The next packet, header included; it is valid until the next call. Nil when the message has no more.
    mutating func next(in message: UnsafeRawBufferPointer, from position: inout Int) -> UnsafeRawBufferPointer? {
        while position < message.count {
            if passedOver > 0 {
                let step = min(passedOver, message.count &- position)
                passedOver &-= step
                position &+= step
            } else if carried > 0 {
                if let packet = carriedPacket(message, &position) { return packet }
            } else if let packet = packet(message, &position) {
                return packet
            }
        }
        return nil
    }

    private mutating func packet(_ message: UnsafeRawBufferPointer, _ position: inout Int) -> UnsafeRawBufferPointer? {
        let left = message.count &- position
        switch LittleEndianBase128.read(message, at: position &+ 1, sizeMax: Self.lengthSizeMax) {
        case .value(let length, let size):
            let whole = 1 &+ size &+ length
            guard whole > left else {
                defer { position &+= whole }
                return UnsafeRawBufferPointer(rebasing: message[position..<(position &+ whole)])
            }
            if whole <= Self.carriedMax { carry(message, &position, left) } else { passedOver = whole }
        case .incomplete:
            carry(message, &position, left)
        case .malformed:
            position = message.count
        }
        return nil
    }

    /// Adds to the cut packet as much as it is known to want.
    private mutating func carriedPacket(_ message: UnsafeRawBufferPointer, _ position: inout Int) -> UnsafeRawBufferPointer? {
        while true {
            let kept = UnsafeRawBufferPointer(start: storage.base, count: carried)
            switch LittleEndianBase128.read(kept, at: 1, sizeMax: Self.lengthSizeMax) {
            case .value(let length, let size):
                return finishCarried(1 &+ size &+ length, message, &position)
            case .incomplete:
                guard position < message.count else { return nil }
                carry(message, &position, 1)
            case .malformed:
                carried = 0
                position = message.count
                return nil
            }
        }
    }

    private mutating func finishCarried(
        _ whole: Int, _ message: UnsafeRawBufferPointer, _ position: inout Int
    ) -> UnsafeRawBufferPointer? {
        guard whole <= Self.carriedMax else {
            passedOver = whole &- carried
            carried = 0
            return nil
        }
        carry(message, &position, min(whole &- carried, message.count &- position))
        guard carried == whole else { return nil }
        carried = 0
        return UnsafeRawBufferPointer(start: storage.base, count: whole)
    }

    private mutating func carry(_ message: UnsafeRawBufferPointer, _ position: inout Int, _ count: Int) {
        UnsafeMutableRawBufferPointer(start: storage.base + carried, count: count).copyBytes(from: message[position..<(position &+ count)])
        carried &+= count
        position &+= count
    }
}
