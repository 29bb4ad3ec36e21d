import Heartbeat
import WebSocket

/// The member by which a message that came twice is known.
package struct DuplicateKey {
    fileprivate let paths: JSONPaths
    fileprivate let slot: Int

    /// `path` is written as in heartbeat rules: a JSON pointer, with steps "!" into strings.
    package init(_ path: [UInt8]) throws(JSONPointerError) {
        var paths = JSONPaths()
        slot = try paths.slot(for: path)
        self.paths = paths
    }
}

/// Tells which messages came by both of two connections that overlap.
///
/// A message of one connection stands for one of the other with the same value, byte for byte: what a connection itself delivers twice is no
/// duplicate, and of messages with the same value as many pass as the connection has delivered that had more of them. A filter lives as long
/// as the overlap.
package struct DuplicateFilter {
    /// A message that has passed, and whose like the other connection has not delivered yet.
    private struct Delivery: BitwiseCopyable {
        /// Where the value lies in `values`.
        var start: Int
        let size: Int
        let isOfNewer: Bool
        var isAwaited = true
    }

    /// Messages with a longer value pass.
    package static let valueSizeMax = 256
    /// At least so many of the last messages are remembered, and at most twice as many.
    package static let deliveriesMax = 16384

    private let key: DuplicateKey
    private let seed: UInt64
    private var deliveries: [Delivery] = []
    private var values: [UInt8] = []
    private var index = HashIndex()

    /// `seed` is random.
    package init(_ key: DuplicateKey, seed: UInt64) {
        self.key = key
        self.seed = seed
    }

    /// True if the other connection has delivered the same: the message is to be left out. A message without the member, or with null there,
    /// is never left out. `isOfNewer`: it came by the newer of the two connections.
    package mutating func isDuplicate(_ payload: UnsafeRawBufferPointer, isOfNewer: Bool, _ scanner: JSONScanner) -> Bool {
        guard scanner.scan(payload, for: key.paths), let found = scanner.found(key.slot), found.kind != .null,
            found.text.count <= Self.valueSizeMax
        else { return false }
        let hash = HashIndex.hash(found.text, seed: seed)
        var number = index.first(hash)
        while number != HashIndex.none {
            if deliveries[number].isOfNewer != isOfNewer, value(of: deliveries[number]).elementsEqual(found.text) {
                forget(number)
                return true
            }
            number = index.next(after: number)
        }
        if deliveries.count == 2 * Self.deliveriesMax { clearUp() }
        deliveries.append(Delivery(start: values.count, size: found.text.count, isOfNewer: isOfNewer))
        values.append(contentsOf: found.text)
        index.append(hash)
        return false
    }

    private func value(of delivery: Delivery) -> ArraySlice<UInt8> { values[delivery.start..<(delivery.start &+ delivery.size)] }

    private mutating func forget(_ number: Int) {
        deliveries[number].isAwaited = false
        index.remove(number)
    }

    /// Keeps the latest messages that the other connection may still deliver.
    private mutating func clearUp() {
        var kept = deliveries.filter { $0.isAwaited }
        kept.removeFirst(max(0, kept.count - Self.deliveriesMax))
        var keptValues: [UInt8] = []
        index.removeAll()
        for number in kept.indices {
            let value = value(of: kept[number])
            kept[number].start = keptValues.count
            keptValues.append(contentsOf: value)
            index.append(value.withUnsafeBytes { HashIndex.hash($0, seed: seed) })
        }
        deliveries = kept
        values = keptValues
    }
}
