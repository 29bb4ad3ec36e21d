import Testing
import WebSocket

struct ProtocolErrorTests {
    private static let errors: [(ProtocolError, UInt16)] = [
        (.reservedBits, 1002), (.reservedOpcode(3), 1002), (.fragmentedControlFrame, 1002), (.controlFrameTooLong, 1002),
        (.maskedByServer, 1002), (.unmaskedByClient, 1002), (.lengthNotMinimal, 1002), (.lengthOver63Bits, 1002),
        (.continuationWithoutStart, 1002), (.messageInsideFragments, 1002), (.textNotUTF8, 1007), (.closePayloadOfOneByte, 1002),
        (.illegalCloseCode(65535), 1002), (.closeReasonNotUTF8, 1007), (.messageTooLarge(limit: .max), 1009),
    ]

    @Test(arguments: errors) func closesWithTheCodeOfItsKind(error: ProtocolError, code: UInt16) {
        #expect(error.closeCode == code)
    }

    /// The phrase becomes the reason of a close frame, which is cut at this size without regard for characters.
    @Test(arguments: errors) func phraseFitsACloseFrame(error: ProtocolError, code: UInt16) {
        #expect(!error.phrase.isEmpty)
        #expect(error.phrase.utf8.count <= CloseCode.reasonSizeMax)
    }
}
