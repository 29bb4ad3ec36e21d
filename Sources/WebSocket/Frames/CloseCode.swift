/// Close codes (RFC 6455 section 7.4 and the IANA registry that it began) and the body of a close frame (section 5.5.1).
package enum CloseCode {
    package static let normal: UInt16 = 1000
    package static let goingAway: UInt16 = 1001
    package static let protocolError: UInt16 = 1002
    package static let noStatus: UInt16 = 1005
    package static let abnormal: UInt16 = 1006
    package static let invalidPayload: UInt16 = 1007
    package static let policyViolation: UInt16 = 1008
    package static let messageTooBig: UInt16 = 1009
    package static let internalError: UInt16 = 1011
    package static let serviceRestart: UInt16 = 1012

    /// True for codes that may stand in a close frame. 1004 to 1006 and 1015 never do; 1016 to 2999 are not assigned.
    package static func isLegalOnWire(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// True for codes that a client's application may send: 1002 is the library's to say, 1010 was meant for clients' extensions.
    package static func isLegalToSend(_ code: UInt16) -> Bool {
        isLegalOnWire(code) && code != protocolError
    }

    /// The longest reason that fits a control frame beside the code.
    package static let reasonSizeMax = 123
}

/// What a close frame says.
package struct CloseFrame: Equatable {
    /// 1005 if the frame carried no code.
    package let code: UInt16
    package let reason: [UInt8]

    package init(code: UInt16, reason: [UInt8]) {
        self.code = code
        self.reason = reason
    }

    /// Reads the body of a received close frame.
    package init(payload: UnsafeRawBufferPointer) throws(ProtocolError) {
        if payload.isEmpty {
            self.init(code: CloseCode.noStatus, reason: [])
            return
        }
        guard payload.count >= 2 else { throw .closePayloadOfOneByte }
        let code = UInt16(payload[0]) &<< 8 | UInt16(payload[1])
        guard CloseCode.isLegalOnWire(code) else { throw .illegalCloseCode(code) }
        let reason = UnsafeRawBufferPointer(rebasing: payload[2...])
        guard UTF8Validator.isValid(reason) else { throw .closeReasonNotUTF8 }
        self.init(code: code, reason: [UInt8](reason))
    }

    /// The frame's body; empty for code 1005, and at most 125 bytes.
    package var payload: [UInt8] {
        guard code != CloseCode.noStatus else { return [] }
        return [UInt8(truncatingIfNeeded: code &>> 8), UInt8(truncatingIfNeeded: code)] + reason.prefix(CloseCode.reasonSizeMax)
    }
}
