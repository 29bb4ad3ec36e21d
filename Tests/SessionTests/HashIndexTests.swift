import Session
import Testing

struct HashIndexTests {
    private func numbers(_ index: HashIndex, _ hash: UInt32) -> [Int] {
        var result: [Int] = []
        var number = index.first(hash)
        while number != HashIndex.none {
            result.append(number)
            number = index.next(after: number)
        }
        return result
    }

    @Test func findsWhatIsThereTheNewestFirst() {
        var random = Random(seed: 1)
        var index = HashIndex()
        // Few hashes, of which several share a chain, so that chains are long.
        var model = [UInt32: [Int]]()
        var hashes: [UInt32] = []
        for _ in 0..<3000 {
            if random.next(through: 2) > 0 || hashes.isEmpty {
                let hash = UInt32(random.next(through: 3)) << 16 | UInt32(random.next(through: 9))
                model[hash, default: []].insert(hashes.count, at: 0)
                index.append(hash)
                hashes.append(hash)
            } else {
                let number = Int(random.next(through: UInt64(hashes.count - 1)))
                guard let place = model[hashes[number]]?.firstIndex(of: number) else { continue }
                model[hashes[number]]?.remove(at: place)
                index.remove(number)
            }
        }
        for hash in Set(hashes) { #expect(numbers(index, hash) == model[hash]) }
        #expect(index.first(0xFFFF_FFFF) == HashIndex.none)
        index.removeAll()
        for hash in Set(hashes) { #expect(index.first(hash) == HashIndex.none) }
        index.append(7)
        #expect(numbers(index, 7) == [0])
    }

    @Test func theSeedDecidesWhatSharesAHash() {
        func hash(_ text: String, _ seed: UInt64) -> UInt32 { Array(text.utf8).withUnsafeBytes { HashIndex.hash($0, seed: seed) } }
        #expect(hash("a", 0) == hash("a", 0))
        #expect(hash("a", 0) != hash("b", 0))
        #expect(hash("a", 0) != hash("a", 1))
        #expect(hash("", 0) != hash("", 1))
    }
}
