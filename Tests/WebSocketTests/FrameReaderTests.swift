import Testing
import WebSocket

struct FrameReaderTests {
    private static let key: [UInt8] = [0xA1, 0x02, 0xFF, 0x80]

    /// One stream with everything a peer may do, and what is to come of it.
    private static func stream(key: [UInt8]?) -> (input: [UInt8], received: [Received]) {
        let long = [UInt8]((0..<300).map { UInt8($0 % 256) })
        let parts: [([UInt8], [Received])] = [
            (frame(1, bytes("first"), key: key), [.text("first")]),
            (frame(1, [], key: key), [.text("")]),
            (frame(2, [], key: key), [.message(.binary, [])]),
            (frame(9, bytes("are you there"), key: key), [.control(.ping, bytes("are you there"))]),
            (frame(2, long, key: key), [.message(.binary, long)]),
            (frame(1, Array("gr\u{F6}\u{DF}e".utf8.prefix(3)), isFinal: false, key: key), []),
            (frame(10, [], key: key), [.control(.pong, [])]),
            (frame(0, [], isFinal: false, key: key), []),
            (frame(9, [1], key: key), [.control(.ping, [1])]),
            (frame(0, Array("gr\u{F6}\u{DF}e".utf8.dropFirst(3)), key: key), [.text("gr\u{F6}\u{DF}e")]),
            (frame(2, [], isFinal: false, key: key), []),
            (frame(0, [], key: key), [.message(.binary, [])]),
            (frame(1, bytes("last"), key: key), [.text("last")]),
            (frame(8, [0x03, 0xE8], key: key), [.control(.close, [0x03, 0xE8])]),
        ]
        return (parts.flatMap { $0.0 }, parts.flatMap { $0.1 })
    }

    @Test(arguments: [Role.client, .server]) func readsTheSameHoweverTheInputIsSplit(role: Role) {
        let (input, expected) = Self.stream(key: role == .server ? Self.key : nil)
        for chunks in splits(input) { #expect(readFrames(chunks, role: role) == expected) }
        for size in [2, 3, 5, 7, 11, 64] {
            let chunks = stride(from: 0, to: input.count, by: size).map { [UInt8](input[$0..<min($0 + size, input.count)]) }
            #expect(readFrames(chunks, role: role) == expected)
        }
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 70000]) func readsEveryLengthForm(size: Int) {
        let payload = [UInt8](repeating: 0x78, count: size)
        let input = frame(1, payload) + frame(1, bytes("next"))
        for cut in [0, 1, 2, 4, 10, 11, input.count / 2, input.count - 1, input.count] {
            let chunks = [[UInt8](input[..<min(cut, input.count)]), [UInt8](input[min(cut, input.count)...])]
            #expect(readFrames(chunks) == [.message(.text, payload), .text("next")])
        }
    }

    @Test func handsOutWholeMessagesAsViewsIntoTheInput() {
        var reader = FrameReader(role: .client, limits: MessageAssembler.Limits(messageSizeMax: 100))
        var batch = MessageBatch()
        var input = frame(1, bytes("in place"))
        input.withUnsafeMutableBytes { input in
            var consumed = 0
            _ = reader.read(input, consumed: &consumed, into: &batch)
            #expect(consumed == input.count)
            #expect(batch.messages.first?.payload.baseAddress == UnsafeRawPointer(input.baseAddress.unsafelyUnwrapped + 2))
        }
    }

    @Test func stopsForDeliveryWhenTheBatchIsFull() {
        let input = (0..<MessageBatch.capacity * 2 + 10).flatMap { frame(1, bytes("\($0)")) }
        var reader = FrameReader(role: .client, limits: MessageAssembler.Limits(messageSizeMax: 100))
        var batch = MessageBatch()
        var copy = input
        var counts: [Int] = []
        copy.withUnsafeMutableBytes { input in
            var consumed = 0
            while true {
                let outcome = reader.read(input, consumed: &consumed, into: &batch)
                counts.append(batch.count)
                batch.removeAll()
                guard case .deliver = outcome else { break }
            }
            #expect(consumed == input.count)
        }
        #expect(counts == [MessageBatch.capacity, MessageBatch.capacity, 10])
        #expect(readFrames([input]).count == MessageBatch.capacity * 2 + 10)
    }

    @Test func leavesWhatFollowsAControlFrameForTheNextRead() {
        var reader = FrameReader(role: .client, limits: MessageAssembler.Limits(messageSizeMax: 100))
        var batch = MessageBatch()
        var input = frame(9, [7]) + frame(1, bytes("after"))
        input.withUnsafeMutableBytes { input in
            var consumed = 0
            let outcome = reader.read(input, consumed: &consumed, into: &batch)
            let isPing = if case .control(.ping, let payload) = outcome { [UInt8](payload) == [7] } else { false }
            #expect(isPing)
            #expect(consumed == 3)
        }
    }

    @Test func acceptsAMessageAtTheLimitAndRefusesOneAboveIt() {
        for input in [frame(1, bytes("12345")), frame(1, bytes("123"), isFinal: false) + frame(0, bytes("45"))] {
            for chunks in splits(input) {
                #expect(readFrames(chunks, messageSizeMax: 5) == [.text("12345")])
                #expect(readFrames(chunks, messageSizeMax: 4) == [.failed(.messageTooLarge(limit: 4))])
            }
        }
    }

    @Test func refusesALengthFromTheHeaderAlone() {
        let header = frame(2, [], announced: UInt64(Int64.max))
        for chunks in splits(header) { #expect(readFrames(chunks, messageSizeMax: 1000) == [.failed(.messageTooLarge(limit: 1000))]) }
        let fragments = frame(2, [1, 2, 3], isFinal: false) + frame(0, [], announced: UInt64(Int64.max))
        #expect(readFrames([fragments], messageSizeMax: 1000) == [.failed(.messageTooLarge(limit: 1000))])
        #expect(readFrames([fragments], messageSizeMax: .max) == [.failed(.messageTooLarge(limit: .max))])
    }

    @Test func countsTheLimitForEachMessageAnew() {
        let input = frame(2, [1, 2], isFinal: false) + frame(0, [3]) + frame(2, [4, 5], isFinal: false) + frame(0, [6])
        #expect(readFrames([input], messageSizeMax: 3) == [.message(.binary, [1, 2, 3]), .message(.binary, [4, 5, 6])])
    }
}
