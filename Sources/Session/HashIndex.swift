/// Finds entries by a hash. The entries are their owner's, who numbers them from 0 in the order in which they are added; those with the same
/// hash are given one after the other, the newest first, for the owner to compare.
package struct HashIndex {
    private struct Link: BitwiseCopyable {
        let hash: UInt32
        /// The next older entry of the chain, `none`, or `removed` for an entry in no chain.
        var next: Int32
    }

    package static let none = -1
    private static let removed: Int32 = -2

    /// Where the chains begin; as many as a power of two.
    private var heads: [Int32] = []
    private var links: [Link] = []

    package init() {}

    /// FNV-1a, folded to half its length. With a seed that the peer does not know it cannot choose bytes that share a chain.
    package static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt32 {
        var hash = 0xCBF2_9CE4_8422_2325 ^ seed
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return UInt32(truncatingIfNeeded: hash ^ hash &>> 32)
    }

    /// Adds the entry with the next number.
    package mutating func append(_ hash: UInt32) {
        if links.count == heads.count { grow() }
        links.append(Link(hash: hash, next: Self.removed))
        link(links.count &- 1)
    }

    private mutating func link(_ number: Int) {
        let chain = Int(links[number].hash) & (heads.count &- 1)
        links[number].next = heads[chain]
        heads[chain] = Int32(truncatingIfNeeded: number)
    }

    private mutating func grow() {
        heads = [Int32](repeating: Int32(Self.none), count: max(16, heads.count &* 2))
        for number in links.indices where links[number].next != Self.removed { link(number) }
    }

    /// The newest entry with this hash, or `none`.
    package func first(_ hash: UInt32) -> Int {
        heads.isEmpty ? Self.none : entry(hash, from: heads[Int(hash) & (heads.count &- 1)])
    }

    /// The next older one with the same hash, or `none`.
    package func next(after number: Int) -> Int { entry(links[number].hash, from: links[number].next) }

    private func entry(_ hash: UInt32, from start: Int32) -> Int {
        var number = Int(start)
        while number != Self.none, links[number].hash != hash { number = Int(links[number].next) }
        return number
    }

    /// The entry is not found any more; its number stays taken.
    package mutating func remove(_ number: Int) {
        let chain = Int(links[number].hash) & (heads.count &- 1)
        let next = links[number].next
        if heads[chain] == number {
            heads[chain] = next
        } else {
            var before = Int(heads[chain])
            while links[before].next != number { before = Int(links[before].next) }
            links[before].next = next
        }
        links[number].next = Self.removed
    }

    package mutating func removeAll() {
        heads = []
        links = []
    }
}
