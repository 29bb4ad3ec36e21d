import Testing
import WebSocket

struct MessageBatchTests {
    @Test func holdsMessagesInOrderUpToItsCapacity() {
        var batch = MessageBatch()
        let payload = [UInt8](0..<255)
        payload.withUnsafeBytes { payload in
            for index in 0..<MessageBatch.capacity {
                let isFull = batch.isFull
                #expect(!isFull)
                batch.append(
                    Message(kind: index % 2 == 0 ? .text : .binary, payload: UnsafeRawBufferPointer(rebasing: payload[..<(index % 255)])))
            }
            let (isFull, count) = (batch.isFull, batch.count)
            #expect(isFull)
            #expect(count == MessageBatch.capacity)
            for (index, message) in batch.messages.enumerated() {
                #expect(message.kind == (index % 2 == 0 ? .text : .binary))
                #expect(message.payload.count == index % 255)
            }
        }
    }

    @Test func isReusable() {
        var batch = MessageBatch()
        batch.append(Message(kind: .text, payload: UnsafeRawBufferPointer(start: nil, count: 0)))
        batch.removeAll()
        let isEmpty = batch.isEmpty
        batch.append(Message(kind: .binary, payload: UnsafeRawBufferPointer(start: nil, count: 0)))
        let kinds = batch.messages.map { $0.kind }
        #expect(isEmpty)
        #expect(kinds == [.binary])
    }
}
