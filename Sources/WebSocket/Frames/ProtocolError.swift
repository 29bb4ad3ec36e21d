/// The ways a peer can break the protocol once the connection is open, with the close code that answers each (RFC 6455 section 7.4.1).
package enum ProtocolError: Error, Equatable {
    case reservedBits
    case reservedOpcode(UInt8)
    case fragmentedControlFrame
    case controlFrameTooLong
    case maskedByServer
    case unmaskedByClient
    case lengthNotMinimal
    case lengthOver63Bits
    case continuationWithoutStart
    case messageInsideFragments
    case textNotUTF8
    case closePayloadOfOneByte
    case illegalCloseCode(UInt16)
    case closeReasonNotUTF8
    case messageTooLarge(limit: Int)
    case frameTooLarge(limit: Int)
    case compressedDataInvalid

    package var closeCode: UInt16 {
        switch self {
        case .textNotUTF8, .closeReasonNotUTF8, .compressedDataInvalid: CloseCode.invalidPayload
        case .messageTooLarge, .frameTooLarge: CloseCode.messageTooBig
        case .reservedBits, .reservedOpcode, .fragmentedControlFrame, .controlFrameTooLong, .maskedByServer, .unmaskedByClient,
            .lengthNotMinimal, .lengthOver63Bits, .continuationWithoutStart, .messageInsideFragments, .closePayloadOfOneByte,
            .illegalCloseCode:
            CloseCode.protocolError
        }
    }

    /// A phrase that completes "the server ..." or "the client ...", also sent as the reason of our close frame.
    package var phrase: String {
        switch self {
        case .reservedBits: "set reserved bits that no agreed extension uses there"
        case .reservedOpcode(let opcode): "used the reserved opcode \(opcode)"
        case .fragmentedControlFrame: "fragmented a control frame"
        case .controlFrameTooLong: "sent a control frame over 125 bytes"
        case .maskedByServer: "sent a masked frame"
        case .unmaskedByClient: "sent an unmasked frame"
        case .lengthNotMinimal: "encoded a length in more bytes than it needs"
        case .lengthOver63Bits: "announced a length over 63 bits"
        case .continuationWithoutStart: "continued a message that had not begun"
        case .messageInsideFragments: "began a message inside a fragmented one"
        case .textNotUTF8: "sent text that is not UTF-8"
        case .closePayloadOfOneByte: "sent a close frame of one byte"
        case .illegalCloseCode(let code): "sent the illegal close code \(code)"
        case .closeReasonNotUTF8: "sent a close reason that is not UTF-8"
        case .messageTooLarge(let limit): "sent a message over \(limit) bytes"
        case .frameTooLarge(let limit): "sent a frame over \(limit) bytes"
        case .compressedDataInvalid: "sent compressed data that cannot be inflated"
        }
    }
}
