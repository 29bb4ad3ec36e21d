import WebSocket

/// Reads what the kernel says about addresses and routes (netlink(7), rtnetlink(7)), only as far as is needed to tell a change from a repetition:
/// an IPv6 router's advertisement has the kernel report again and again what it has reported before.
struct NetworkMessages {
    /// What has been reported since something was last removed, as hashes.
    private var known: [UInt64] = []

    private static let knownMax = 128

    private enum MessageType {
        static let overrun: UInt16 = 4
        static let newAddress: UInt16 = 20
        static let removedAddress: UInt16 = 21
        static let newRoute: UInt16 = 24
        static let removedRoute: UInt16 = 25
    }

    /// True if one of the datagram's messages tells of a change. What is malformed ends the reading.
    mutating func tellOfChange(_ datagram: UnsafeRawBufferPointer) -> Bool {
        let headerSize = 16
        var rest = datagram
        var hasChanged = false
        while rest.count >= headerSize {
            let size = Int(rest.loadUnaligned(as: UInt32.self))
            let type = rest.loadUnaligned(fromByteOffset: 4, as: UInt16.self)
            guard size >= headerSize, size <= rest.count else { break }
            let body = UnsafeRawBufferPointer(rebasing: rest[headerSize..<size])
            if tellsOfChange(type, body) { hasChanged = true }
            rest = UnsafeRawBufferPointer(rebasing: rest[min(Self.aligned(size), rest.count)...])
        }
        return hasChanged
    }

    private mutating func tellsOfChange(_ type: UInt16, _ body: UnsafeRawBufferPointer) -> Bool {
        switch type {
        case MessageType.overrun:
            return true
        case MessageType.newAddress:
            return Self.isGlobalAddress(body) && isNew(Self.hash(body, headerSize: 8, cacheInfo: 6))
        case MessageType.removedAddress:
            return Self.isGlobalAddress(body) && forgetAll()
        case MessageType.newRoute:
            return Self.isRoute(body) && isNew(Self.hash(body, headerSize: 12, cacheInfo: 12))
        case MessageType.removedRoute:
            return Self.isRoute(body) && forgetAll()
        default:
            return false
        }
    }

    private mutating func isNew(_ hash: UInt64) -> Bool {
        guard !known.contains(hash) else { return false }
        if known.count == Self.knownMax { known = [] }
        known.append(hash)
        return true
    }

    /// What was removed may come back, and is news then.
    private mutating func forgetAll() -> Bool {
        known = []
        return true
    }

    /// An address by which another machine can be reached (struct ifaddrmsg): its scope is neither the link's nor the host's.
    private static func isGlobalAddress(_ body: UnsafeRawBufferPointer) -> Bool {
        body.count >= 8 && body[3] < 253
    }

    /// A route (struct rtmsg) that is neither a copy for a cache nor one of the local table, whose routes come and go with addresses.
    private static func isRoute(_ body: UnsafeRawBufferPointer) -> Bool {
        body.count >= 12 && body[4] != 255 && body.loadUnaligned(fromByteOffset: 8, as: UInt32.self) & 0x200 == 0
    }

    /// Over all but the times in it (the attribute `cacheInfo`), which change with each repetition (FNV-1a).
    private static func hash(_ body: UnsafeRawBufferPointer, headerSize: Int, cacheInfo: UInt16) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: Slice<UnsafeRawBufferPointer>) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
        add(body[..<headerSize])
        var start = headerSize
        while body.count - start >= 4 {
            let size = Int(body.loadUnaligned(fromByteOffset: start, as: UInt16.self))
            guard size >= 4, size <= body.count - start else { break }
            if body.loadUnaligned(fromByteOffset: start + 2, as: UInt16.self) != cacheInfo { add(body[start..<(start + size)]) }
            start = min(start + aligned(size), body.count)
        }
        return hash
    }

    /// Messages and attributes begin at multiples of four.
    private static func aligned(_ size: Int) -> Int { (size + 3) & ~3 }
}
