import Testing
import WebSocket

struct AllocationTests {
    @Test func isAlignedForAnythingAndWritableToItsEnd() {
        for size in [1, 15, 16, 17, 4096] {
            let allocation = Allocation(byteCount: size)
            #expect(UInt(bitPattern: allocation.base) % 16 == 0)
            allocation.base.storeBytes(of: 0xAB, toByteOffset: size - 1, as: UInt8.self)
            #expect(allocation.base.load(fromByteOffset: size - 1, as: UInt8.self) == 0xAB)
        }
    }
}
