import Testing
import WebSocket

struct MessageAssemblerTests {
    private func header(_ opcode: Opcode, _ size: UInt64, isFinal: Bool = false) -> FrameHeader {
        FrameHeader(isFinal: isFinal, opcode: opcode, payloadSize: size, maskingKey: nil)
    }

    /// The error of `body`; a noncopyable assembler cannot be captured by the closures of an expectation.
    private func error(_ assembler: inout MessageAssembler, _ body: (inout MessageAssembler) throws(ProtocolError) -> Void)
        -> ProtocolError?
    {
        do throws(ProtocolError) {
            try body(&assembler)
            return nil
        } catch {
            return error
        }
    }

    private func append(_ text: [UInt8], to assembler: inout MessageAssembler) throws {
        _ = try text.withUnsafeBytes { try assembler.append($0) }
    }

    @Test func joinsFragments() throws {
        var assembler = MessageAssembler(limits: MessageAssembler.Limits(messageSizeMax: 10), decompression: nil)
        try assembler.begin(header(.text, 3))
        try append(bytes("abc"), to: &assembler)
        try assembler.begin(header(.continuation, 2, isFinal: true))
        try append(bytes("de"), to: &assembler)
        let wasCollecting = assembler.isCollecting
        let message = try assembler.finish()
        let (kind, payload) = (message?.kind, message.map { [UInt8]($0.payload) })
        let isCollecting = assembler.isCollecting
        #expect(wasCollecting)
        #expect(kind == .text)
        #expect(payload == bytes("abcde"))
        #expect(!isCollecting)
    }

    @Test func forgetsADeliveredMessageOnly() throws {
        var assembler = MessageAssembler(limits: MessageAssembler.Limits(messageSizeMax: 10), decompression: nil)
        try assembler.begin(header(.binary, 1))
        try append([1], to: &assembler)
        assembler.discardDelivered()
        let whileCollecting = assembler.isCollecting
        _ = try assembler.finish()
        assembler.discardDelivered()
        let after = try assembler.finish()
        #expect(whileCollecting)
        #expect(after?.kind == nil)
    }

    @Test func refusesFramesOutOfOrder() throws {
        var assembler = MessageAssembler(limits: MessageAssembler.Limits(messageSizeMax: 10), decompression: nil)
        let early = error(&assembler) { (a) throws(ProtocolError) in try a.begin(header(.continuation, 1)) }
        try assembler.begin(header(.text, 1))
        let nested = error(&assembler) { (a) throws(ProtocolError) in try a.begin(header(.binary, 1)) }
        _ = try assembler.finish()
        let fresh = error(&assembler) { (a) throws(ProtocolError) in try a.begin(header(.binary, 1)) }
        #expect(early == .continuationWithoutStart)
        #expect(nested == .messageInsideFragments)
        #expect(fresh == nil)
    }

    @Test func countsFragmentsTogetherAgainstTheLimit() throws {
        var assembler = MessageAssembler(limits: MessageAssembler.Limits(messageSizeMax: 3), decompression: nil)
        try assembler.begin(header(.binary, 2))
        try append([1, 2], to: &assembler)
        let over = error(&assembler) { (a) throws(ProtocolError) in try a.begin(header(.continuation, 2)) }
        let exact = error(&assembler) { (a) throws(ProtocolError) in try a.begin(header(.continuation, 1)) }
        #expect(over == .messageTooLarge(limit: 3))
        #expect(exact == nil)
    }

    @Test func checksTextAsItComesAndAtTheEnd() throws {
        var assembler = MessageAssembler(limits: MessageAssembler.Limits(messageSizeMax: 10), decompression: nil)
        try assembler.begin(header(.text, 2))
        try append([0xC3], to: &assembler)
        let unfinished = error(&assembler) { (a) throws(ProtocolError) in _ = try a.finish() }
        let wrong = error(&assembler) { (a) throws(ProtocolError) in
            let byte: UInt8 = 0x41
            do { _ = try withUnsafeBytes(of: byte) { try a.append($0) } } catch { throw .textNotUTF8 }
        }
        #expect(unfinished == .textNotUTF8)
        #expect(wrong == .textNotUTF8)
    }

    @Test func leavesBinaryUnchecked() throws {
        var assembler = MessageAssembler(limits: MessageAssembler.Limits(messageSizeMax: 10), decompression: nil)
        try assembler.begin(header(.binary, 2))
        try append([0xFF, 0xC0], to: &assembler)
        let message = try assembler.finish()
        let payload = message.map { [UInt8]($0.payload) }
        #expect(payload == [0xFF, 0xC0])
    }
}
