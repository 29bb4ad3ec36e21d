import Testing
import WebSocket

struct FrameHeaderTests {
    private func parse(_ bytes: [UInt8], receiver: Role = .client, allowsCompression: Bool = false) throws -> FrameHeader {
        try bytes.withUnsafeBytes {
            try FrameHeader(at: $0.baseAddress.unsafelyUnwrapped, receiver: receiver, allowsCompression: allowsCompression)
        }
    }

    @Test func sizeFollowsFromTheSecondByte() {
        for second in UInt8.min...UInt8.max {
            let length = second & 0x7F
            let expected = (length == 127 ? 10 : length == 126 ? 4 : 2) + (second & 0x80 != 0 ? 4 : 0)
            #expect(FrameHeader.size(secondByte: second) == expected)
            #expect(expected <= FrameHeader.sizeMax)
        }
    }

    @Test(arguments: [0, 1, 125, 126, 127, 255, 256, 65535, 65536, 1 << 32, UInt64(Int64.max)] as [UInt64])
    func readsEveryLengthForm(size: UInt64) throws {
        let header = try parse(frame(2, [], announced: size))
        #expect(header == FrameHeader(isFinal: true, opcode: .binary, payloadSize: size, maskingKey: nil))
    }

    @Test(arguments: [5, 126, 65536] as [UInt64])
    func readsTheMaskingKeyBehindEachLengthForm(size: UInt64) throws {
        let header = try parse(frame(1, [], isFinal: false, key: [1, 2, 3, 4], announced: size), receiver: .server)
        #expect(header == FrameHeader(isFinal: false, opcode: .text, payloadSize: size, maskingKey: MaskingKey(word: 0x0403_0201)))
    }

    @Test(arguments: [0x10, 0x20, 0x40, 0x70] as [UInt8]) func refusesReservedBits(bits: UInt8) {
        #expect(throws: ProtocolError.reservedBits) { try parse(frame(1, [], reserved: bits)) }
    }

    @Test(arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] as [UInt8]) func refusesReservedOpcodes(opcode: UInt8) {
        #expect(throws: ProtocolError.reservedOpcode(opcode)) { try parse(frame(opcode, [])) }
    }

    @Test func eachRoleWantsItsMasking() {
        #expect(throws: ProtocolError.maskedByServer) { try parse(frame(1, [], key: [0, 0, 0, 0])) }
        #expect(throws: ProtocolError.unmaskedByClient) { try parse(frame(1, []), receiver: .server) }
    }

    @Test(arguments: [0, 1, 125] as [UInt64]) func refusesSixteenBitsWhereSevenWouldDo(size: UInt64) {
        #expect(throws: ProtocolError.lengthNotMinimal) { try parse(frame(1, [], length: .sixteenBits, announced: size)) }
    }

    @Test(arguments: [0, 125, 126, 65535] as [UInt64]) func refusesSixtyFourBitsWhereSixteenWouldDo(size: UInt64) {
        #expect(throws: ProtocolError.lengthNotMinimal) { try parse(frame(1, [], length: .sixtyFourBits, announced: size)) }
    }

    @Test(arguments: [1 << 63, UInt64.max]) func refusesLengthsOver63Bits(size: UInt64) {
        #expect(throws: ProtocolError.lengthOver63Bits) { try parse(frame(2, [], announced: size)) }
    }

    @Test(arguments: [8, 9, 10] as [UInt8]) func holdsControlFramesToTheirRules(opcode: UInt8) throws {
        #expect(try parse(frame(opcode, [], announced: 125)).payloadSize == 125)
        #expect(throws: ProtocolError.fragmentedControlFrame) { try parse(frame(opcode, [], isFinal: false)) }
        #expect(throws: ProtocolError.controlFrameTooLong) { try parse(frame(opcode, [], announced: 126)) }
        #expect(throws: ProtocolError.controlFrameTooLong) { try parse(frame(opcode, [], length: .sixteenBits, announced: 5)) }
        #expect(throws: ProtocolError.controlFrameTooLong) { try parse(frame(opcode, [], announced: 70000)) }
    }
}
