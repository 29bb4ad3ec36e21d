import Testing
import WebSocket

struct CloseCodeTests {
    /// RFC 6455 section 7.4 with the codes that IANA has registered since.
    private static let legal: [ClosedRange<UInt16>] = [1000...1003, 1007...1014, 3000...4999]

    @Test func allowsOnTheWireWhatIsRegisteredOrPrivate() {
        for code in UInt16.min...UInt16.max {
            let isLegal = Self.legal.contains { $0.contains(code) }
            if CloseCode.isLegalOnWire(code) != isLegal || CloseCode.isLegalToSend(code) != (isLegal && code != 1002) {
                Issue.record("close code \(code)")
            }
        }
    }
}

struct CloseFrameTests {
    private func parse(_ payload: [UInt8]) throws -> CloseFrame {
        try payload.withUnsafeBytes { try CloseFrame(payload: $0) }
    }

    @Test func readsCodeAndReason() throws {
        #expect(try parse([]) == CloseFrame(code: 1005, reason: []))
        #expect(try parse([0x03, 0xE8]) == CloseFrame(code: 1000, reason: []))
        #expect(try parse([0x0F, 0xA1] + bytes("später")) == CloseFrame(code: 4001, reason: bytes("später")))
    }

    @Test(
        arguments: [
            ([0x03], .closePayloadOfOneByte),
            ([0x00, 0x00], .illegalCloseCode(0)),
            ([0x03, 0xE7], .illegalCloseCode(999)),
            ([0x03, 0xEC], .illegalCloseCode(1004)),
            ([0x03, 0xED], .illegalCloseCode(1005)),
            ([0x03, 0xEE], .illegalCloseCode(1006)),
            ([0x03, 0xF7], .illegalCloseCode(1015)),
            ([0x07, 0xD0], .illegalCloseCode(2000)),
            ([0x13, 0x88], .illegalCloseCode(5000)),
            ([0xFF, 0xFF, 0x41], .illegalCloseCode(65535)),
            ([0x03, 0xE8, 0xFF], .closeReasonNotUTF8),
            ([0x03, 0xE8, 0x41, 0xC3], .closeReasonNotUTF8),
        ] as [([UInt8], ProtocolError)])
    func refusesWhatMayNotStandInACloseFrame(payload: [UInt8], error: ProtocolError) {
        #expect(throws: error) { try parse(payload) }
    }

    @Test func writesWhatItReads() throws {
        for frame in [
            CloseFrame(code: 1000, reason: []), CloseFrame(code: 4999, reason: bytes("gone")), CloseFrame(code: 1005, reason: []),
        ] {
            #expect(try parse(frame.payload) == frame)
        }
    }

    @Test func fitsAControlFrame() {
        let frame = CloseFrame(code: 1000, reason: [UInt8](repeating: 0x61, count: 500))
        #expect(frame.payload.count == 125)
        #expect(CloseFrame(code: 1005, reason: bytes("lost")).payload == [])
    }
}
