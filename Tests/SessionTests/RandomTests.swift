import Session
import Testing

struct RandomTests {
    /// The reference values of SplitMix64 for the seed 0.
    @Test func isSplitMix64() {
        var random = Random(seed: 0)
        for expected in [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F] as [UInt64] {
            let value = random.next()
            #expect(value == expected)
        }
    }

    @Test(arguments: [0, 1, 2, 9, 1000, 1 << 40, UInt64.max - 1, UInt64.max]) func staysWithinTheLimit(limit: UInt64) {
        var random = Random(seed: limit)
        for _ in 0..<1000 { #expect(random.next(through: limit) <= limit) }
    }

    @Test func reachesEveryValueAboutEquallyOften() {
        var random = Random(seed: 42)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 { counts[Int(random.next(through: 9))] += 1 }
        for count in counts { #expect((800...1200).contains(count)) }
    }
}
