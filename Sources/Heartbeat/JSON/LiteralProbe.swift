/// Looks for a literal in messages that hardly ever have it: for two of its bytes, those that are rare elsewhere, at their distance,
/// thirty-two places of the message at once. Only where both were seen is the literal compared.
struct LiteralProbe {
    /// Where the literal lies among all literals.
    private let start: Int
    private let count: Int
    /// Where the two bytes are in the literal; the same place twice if it has one byte only.
    private let firstOffset: Int
    private let secondOffset: Int
    private let first: UInt8
    private let second: UInt8

    private typealias Block = SIMD32<UInt8>
    private static let blockSize = 32
    /// So many places are searched before a closer look at what was seen, which costs more than a few blocks.
    private static let stretchSize = 4096

    /// `literal` is not empty.
    init(_ literal: [UInt8], start: Int) {
        self.start = start
        count = literal.count
        firstOffset = Self.rarest(literal, except: nil) ?? 0
        secondOffset = Self.rarest(literal, except: firstOffset) ?? firstOffset
        first = literal[firstOffset]
        second = literal[secondOffset]
    }

    private static func rarest(_ literal: [UInt8], except taken: Int?) -> Int? {
        var best: Int?
        for place in literal.indices where place != taken {
            if let best, commonness(literal[best]) <= commonness(literal[place]) { continue }
            best = place
        }
        return best
    }

    /// Zero for a byte that JSON messages hardly have, more for one that they have more of.
    private static func commonness(_ byte: UInt8) -> Int {
        let fromCommonToRare: StaticString = "\"0,:12345e6789.taniosrdcl{}[]upmgb_-fhyTSBUDPCEkvwxAIONMRLF /"
        for place in 0..<fromCommonToRare.utf8CodeUnitCount where fromCommonToRare.utf8Start[place] == byte {
            return fromCommonToRare.utf8CodeUnitCount - place
        }
        return 0
    }

    /// True if the literal is in the message.
    @_optimize(speed)
    func occurs(in message: UnsafeRawPointer, count messageCount: Int, literals: UnsafeRawBufferPointer) -> Bool {
        let places = messageCount &- count &+ 1
        guard places >= Self.blockSize else { return isAtAny(from: 0, to: places, of: message, literals) }
        var place = 0
        while place < places {
            let end = min(place &+ Self.stretchSize, places)
            // A stretch reaches back if it is shorter than a block.
            place = min(place, end &- Self.blockSize)
            if isSeen(from: place, to: end, of: message) && occurs(from: place, to: end, of: message, literals) { return true }
            place = end
        }
        return false
    }

    /// A closer look at a stretch in which both bytes were seen.
    private func occurs(from start: Int, to end: Int, of message: UnsafeRawPointer, _ literals: UnsafeRawBufferPointer) -> Bool {
        var place = start
        while place < end {
            place = min(place, end &- Self.blockSize)
            let next = place &+ Self.blockSize
            if isSeen(from: place, to: next, of: message) && isAtAny(from: place, to: next, of: message, literals) { return true }
            place = next
        }
        return false
    }

    /// False if at none of these places, a block of them or more, both bytes are where they would be. This is all that most messages cost.
    @_optimize(speed)
    private func isSeen(from start: Int, to end: Int, of message: UnsafeRawPointer) -> Bool {
        let firsts = Block(repeating: first)
        let seconds = Block(repeating: second)
        let atFirst = message + firstOffset
        let atSecond = message + secondOffset
        func block(_ place: Int) -> SIMD4<UInt64> {
            let isFirst = atFirst.loadUnaligned(fromByteOffset: place, as: Block.self) .== firsts
            let isSecond = atSecond.loadUnaligned(fromByteOffset: place, as: Block.self) .== seconds
            // As words, because the compiler takes more than single instructions to combine masks.
            return unsafeBitCast(isFirst, to: SIMD4<UInt64>.self) & unsafeBitCast(isSecond, to: SIMD4<UInt64>.self)
        }
        let last = end &- Self.blockSize
        var seen = block(last)
        var place = start
        while place < last {
            seen = seen | block(place)
            place &+= Self.blockSize
        }
        return seen[0] | seen[1] | seen[2] | seen[3] != 0
    }

    /// True if the literal is at one of these places.
    @_optimize(speed)
    private func isAtAny(from start: Int, to end: Int, of message: UnsafeRawPointer, _ literals: UnsafeRawBufferPointer) -> Bool {
        var place = start
        while place < end {
            let isSeen = message.load(fromByteOffset: place &+ firstOffset, as: UInt8.self) == first
            if isSeen && isAt(message + place, literals) { return true }
            place &+= 1
        }
        return false
    }

    private func isAt(_ place: UnsafeRawPointer, _ literals: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while offset < count {
            if place.load(fromByteOffset: offset, as: UInt8.self) != literals[start &+ offset] { return false }
            offset &+= 1
        }
        return true
    }
}
