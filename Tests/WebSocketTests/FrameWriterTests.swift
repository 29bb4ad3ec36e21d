import Testing
import WebSocket

struct FrameWriterTests {
    private func write(_ opcode: Opcode, _ payload: [UInt8], isFinal: Bool = true, key: MaskingKey? = nil) -> [UInt8] {
        var queue = ByteQueue()
        payload.withUnsafeBytes { FrameWriter.append(opcode: opcode, isFinal: isFinal, payload: $0, maskingKey: key, to: &queue) }
        return [UInt8](queue.bytes)
    }

    /// RFC 6455 section 5.7.
    @Test func writesTheExamplesOfTheRFC() {
        let key = MaskingKey(word: 0x3D21_FA37)
        #expect(write(.text, bytes("Hello")) == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        #expect(write(.text, bytes("Hello"), key: key) == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        #expect(write(.text, bytes("Hel"), isFinal: false) == [0x01, 0x03, 0x48, 0x65, 0x6C])
        #expect(write(.continuation, bytes("lo")) == [0x80, 0x02, 0x6C, 0x6F])
        #expect(write(.ping, bytes("Hello")) == [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        #expect(write(.binary, [UInt8](repeating: 0, count: 256)).prefix(4) == [0x82, 0x7E, 0x01, 0x00])
        #expect(write(.binary, [UInt8](repeating: 0, count: 65536)).prefix(10) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536, 70000], [Role.client, .server])
    func writesWhatTheReaderReads(size: Int, role: Role) {
        var random = TestRandom(seed: UInt64(size))
        let payload = random.bytes(size)
        // The reader is the other end, so frames are masked when it is the server.
        let key = role == .server ? MaskingKey(word: 0xDEAD_BEEF) : nil
        let written = write(.binary, payload, key: key)
        #expect(written == frame(2, payload, key: role == .server ? [0xEF, 0xBE, 0xAD, 0xDE] : nil))
        #expect(readFrames([written], role: role) == [.message(.binary, payload)])
    }

    @Test func appendsBehindWhatIsQueued() {
        var queue = ByteQueue()
        queue.append([0xAA])
        for payload in [[1], [2, 3]] as [[UInt8]] {
            payload.withUnsafeBytes { FrameWriter.append(opcode: .binary, isFinal: true, payload: $0, maskingKey: nil, to: &queue) }
        }
        let contents = [UInt8](queue.bytes)
        #expect(contents == [0xAA, 0x82, 1, 1, 0x82, 2, 2, 3])
    }
}
