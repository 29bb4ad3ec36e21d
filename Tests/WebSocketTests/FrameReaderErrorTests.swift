/// How the frame reader refuses: every protocol error, wherever the input is cut, and silence after it.
import Testing
import WebSocket

struct FrameReaderErrorTests {
    static let violations: [([UInt8], ProtocolError)] = [
        (frame(1, bytes("x"), reserved: 0x40), .reservedBits),
        (frame(1, bytes("x"), reserved: 0x20), .reservedBits),
        (frame(1, bytes("x"), reserved: 0x10), .reservedBits),
        (frame(3, bytes("x")), .reservedOpcode(3)),
        (frame(15, []), .reservedOpcode(15)),
        (frame(9, [], isFinal: false), .fragmentedControlFrame),
        (frame(10, [UInt8](repeating: 0, count: 126)), .controlFrameTooLong),
        (frame(1, bytes("x"), key: [1, 2, 3, 4]), .maskedByServer),
        (frame(1, bytes("x"), length: .sixteenBits), .lengthNotMinimal),
        (frame(2, bytes("x"), length: .sixtyFourBits), .lengthNotMinimal),
        (frame(2, [], announced: 1 << 63), .lengthOver63Bits),
        (frame(0, bytes("x")), .continuationWithoutStart),
        (frame(0, bytes("x"), isFinal: false), .continuationWithoutStart),
        (frame(1, bytes("a"), isFinal: false) + frame(0, bytes("b")) + frame(0, bytes("c")), .continuationWithoutStart),
        (frame(1, bytes("a"), isFinal: false) + frame(1, bytes("b")), .messageInsideFragments),
        (frame(2, [1], isFinal: false) + frame(9, []) + frame(2, [2], isFinal: false), .messageInsideFragments),
        (frame(1, [0x61, 0xFF]), .textNotUTF8),
        (frame(1, [0xE2, 0x82]), .textNotUTF8),
        (frame(1, [0xE2, 0x82], isFinal: false) + frame(0, [0x41]), .textNotUTF8),
        (frame(1, [0xE2, 0x82], isFinal: false) + frame(0, []), .textNotUTF8),
        (frame(1, [0xED], isFinal: false) + frame(0, [0xA0], isFinal: false), .textNotUTF8),
    ]

    /// What comes before the violation is given; what comes after it is not.
    @Test(arguments: violations) func failsOnceHoweverTheInputIsSplit(violation: [UInt8], error: ProtocolError) {
        let input = frame(1, bytes("before")) + violation + frame(1, bytes("after")) + frame(8, [])
        for chunks in splits(input) {
            let received = readFrames(chunks)
            #expect(received.first == .text("before"))
            #expect(received.last == .failed(error))
            #expect(received.filter { if case .failed = $0 { true } else { false } }.count == 1)
            #expect(!received.contains(.text("after")))
        }
    }

    @Test func refusesAnUnmaskedFrameAsServer() {
        for chunks in splits(frame(1, bytes("x"))) { #expect(readFrames(chunks, role: .server) == [.failed(.unmaskedByClient)]) }
    }

    /// Section 8.1 asks for failing fast: a fragment that cannot be UTF-8 fails before the message is complete.
    @Test func refusesTextBeforeTheMessageEnds() {
        #expect(readFrames([frame(1, [0xC0], isFinal: false)]) == [.failed(.textNotUTF8)])
        let cut = frame(1, [0x41, 0xFF, 0x41, 0x41])
        #expect(readFrames([[UInt8](cut.dropLast(2))]) == [.failed(.textNotUTF8)])
    }

    @Test func consumesAndIgnoresAllAfterAFailure() {
        var reader = FrameReader(role: .client, limits: MessageAssembler.Limits(messageSizeMax: 100))
        var batch = MessageBatch()
        var received: [Received] = []
        read(frame(3, []), with: &reader, &batch, into: &received)
        for _ in 0..<5 { read(frame(1, bytes("late")), with: &reader, &batch, into: &received) }
        #expect(received == [.failed(.reservedOpcode(3))])
    }

    @Test(arguments: 0..<200) func survivesRandomBytesAndReadsThemTheSameHoweverSplit(seed: UInt64) {
        var random = TestRandom(seed: seed)
        var input = frame(1, bytes("ok")) + frame(2, random.bytes(200), isFinal: false) + frame(9, [1, 2]) + frame(0, random.bytes(20))
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            input[Int.random(in: 0..<input.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        let whole = readFrames([input], messageSizeMax: 1000)
        for cut in [1, 2, 3, input.count / 2, input.count - 1] {
            #expect(readFrames([[UInt8](input[..<cut]), [UInt8](input[cut...])], messageSizeMax: 1000) == whole)
        }
        #expect(readFrames(input.map { [$0] }, messageSizeMax: 1000) == whole)
    }
}
