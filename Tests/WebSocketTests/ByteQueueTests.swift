import Testing
import WebSocket

extension ByteQueue {
    fileprivate var contents: [UInt8] { [UInt8](bytes) }
}

struct ByteQueueTests {
    @Test func startsEmpty() {
        let queue = ByteQueue()
        let (count, isEmpty, contents) = (queue.count, queue.isEmpty, queue.contents)
        #expect(count == 0)
        #expect(isEmpty)
        #expect(contents == [])
    }

    @Test func givesBytesInTheOrderTheyCame() {
        var queue = ByteQueue()
        queue.append([1, 2])
        queue.append(UInt8(3))
        queue.append([])
        queue.append([4, 5, 6])
        queue.removeFirst(2)
        let contents = queue.contents
        #expect(contents == [3, 4, 5, 6])
    }

    @Test func reservedBytesJoinWithCommit() {
        var queue = ByteQueue()
        queue.append([1])
        let room = queue.reserve(1000)
        for index in 0..<1000 { room.storeBytes(of: UInt8(index % 251), toByteOffset: index, as: UInt8.self) }
        let before = queue.contents
        queue.commit(3)
        let after = queue.contents
        #expect(before == [1])
        #expect(after == [1, 0, 1, 2])
    }

    @Test func removingMoreThanThereIsEmpties() {
        var queue = ByteQueue()
        queue.append([1, 2, 3])
        queue.removeFirst(4)
        let isEmpty = queue.isEmpty
        queue.append([9])
        let contents = queue.contents
        #expect(isEmpty)
        #expect(contents == [9])
    }

    /// The storage is reused in place when at least half of it is free, and grows otherwise; either way the bytes stay.
    @Test(arguments: [1, 31, 32, 33, 63, 64, 65, 511, 512, 513, 5000])
    func keepsBytesWhenItCompactsOrGrows(removed: Int) {
        var queue = ByteQueue()
        let first = (0..<removed + 10).map { UInt8($0 % 251) }
        queue.append(first)
        queue.removeFirst(removed)
        let second = (0..<700).map { UInt8($0 % 241) }
        for byte in second { queue.append(byte) }
        let contents = queue.contents
        #expect(contents == first[removed...] + second)
    }

    @Test func isUsableAgainAfterRunningEmptyAtAnySize() {
        var queue = ByteQueue()
        for size in [1, 512, 513, 100_000, 3] {
            let bytes = (0..<size).map { UInt8($0 % 255) }
            queue.append(bytes)
            let contents = queue.contents
            #expect(contents == bytes)
            queue.removeAll()
            let isEmpty = queue.isEmpty
            #expect(isEmpty)
        }
    }

    @Test(arguments: 0..<50)
    func behavesLikeAnArray(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var queue = ByteQueue()
        var model: [UInt8] = []
        for _ in 0..<300 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let bytes = random.bytes(Int.random(in: 0...200, using: &random))
                queue.append(bytes)
                model += bytes
            case 5..<9:
                let count = Int.random(in: 0...250, using: &random)
                queue.removeFirst(count)
                model.removeFirst(min(count, model.count))
            default:
                queue.append(7)
                model.append(7)
            }
            let (count, contents) = (queue.count, queue.contents)
            #expect(count == model.count)
            #expect(contents == model)
        }
    }
}
