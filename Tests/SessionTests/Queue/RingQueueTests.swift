import Session
import Testing

struct RingQueueTests {
    private func contents(_ queue: borrowing RingQueue<Int>) -> [Int] {
        var result: [Int] = []
        for index in 0..<queue.count { result.append(queue[index]) }
        return result
    }

    @Test func startsEmpty() {
        var queue = RingQueue<Int>()
        let (first, isEmpty, count) = (queue.popFirst(), queue.isEmpty, queue.count)
        #expect(first == nil)
        #expect(isEmpty)
        #expect(count == 0)
    }

    @Test func keepsOrderWhileItWrapsAndGrows() {
        var queue = RingQueue<Int>()
        var model: [Int] = []
        for step in 0..<2000 {
            // Twice as many come as go for a while, then the other way round.
            let grows = step / 500 % 2 == 0
            if step % 3 == 0 ? !grows : grows {
                queue.append(step)
                model.append(step)
            } else {
                let (popped, expected) = (queue.popFirst(), model.isEmpty ? nil : model.removeFirst())
                #expect(popped == expected)
            }
            let held = contents(queue)
            #expect(held == model)
        }
    }

    @Test func elementsCanBeReplacedInPlace() {
        var queue = RingQueue<Int>()
        for value in 0..<6 { queue.append(value) }
        for _ in 0..<3 { _ = queue.popFirst() }
        for value in 6..<10 { queue.append(value) }
        queue[0] = 100
        queue[6] = 200
        let held = contents(queue)
        #expect(held == [100, 4, 5, 6, 7, 8, 200])
    }

    @Test(arguments: [1, 8, 9, 1000]) func isUsableAgainAfterRunningEmpty(size: Int) {
        var queue = RingQueue<Int>()
        for _ in 0..<3 {
            for value in 0..<size { queue.append(value) }
            let held = contents(queue)
            #expect(held == Array(0..<size))
            queue.removeAll()
            let isEmpty = queue.isEmpty
            #expect(isEmpty)
        }
    }
}
