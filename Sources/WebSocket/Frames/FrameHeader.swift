/// The header of a frame (RFC 6455 section 5.2), read and written in place.
package struct FrameHeader: Equatable {
    package let isFinal: Bool
    /// The RSV1 bit, which permessage-deflate sets on the first frame of a compressed message (RFC 7692 section 6).
    package let isCompressed: Bool
    package let opcode: Opcode
    package let payloadSize: UInt64
    package let maskingKey: MaskingKey?

    /// The longest header: two bytes, a 64-bit length and a masking key.
    package static let sizeMax = 14

    package init(isFinal: Bool, isCompressed: Bool = false, opcode: Opcode, payloadSize: UInt64, maskingKey: MaskingKey?) {
        self.isFinal = isFinal
        self.isCompressed = isCompressed
        self.opcode = opcode
        self.payloadSize = payloadSize
        self.maskingKey = maskingKey
    }

    /// The size of the header that begins with these two bytes.
    package static func size(secondByte: UInt8) -> Int {
        let mask = secondByte & 0x80 != 0 ? 4 : 0
        switch secondByte & 0x7F {
        case 126: return 4 &+ mask
        case 127: return 10 &+ mask
        default: return 2 &+ mask
        }
    }

    /// Reads the header at `bytes`, of which `size(secondByte:)` bytes are readable, and checks everything that a header alone can show.
    @inline(__always)
    package init(at bytes: UnsafeRawPointer, receiver: Role, allowsCompression: Bool) throws(ProtocolError) {
        let first = bytes.load(as: UInt8.self)
        let second = bytes.load(fromByteOffset: 1, as: UInt8.self)
        let isCompressed = first & 0x40 != 0
        guard first & 0x30 == 0, allowsCompression || !isCompressed else { throw .reservedBits }
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .reservedOpcode(first & 0x0F) }
        if isCompressed && (opcode.isControl || opcode == .continuation) { throw .reservedBits }
        let isFinal = first & 0x80 != 0
        let isMasked = second & 0x80 != 0
        switch receiver {
        case .client: if isMasked { throw .maskedByServer }
        case .server: if !isMasked { throw .unmaskedByClient }
        }
        var payloadSize = UInt64(second & 0x7F)
        var offset = 2
        if payloadSize == 126 {
            payloadSize = UInt64(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            offset = 4
            guard payloadSize > 125 || opcode.isControl else { throw .lengthNotMinimal }
        } else if payloadSize == 127 {
            payloadSize = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            offset = 10
            guard payloadSize &>> 63 == 0 else { throw .lengthOver63Bits }
            guard payloadSize > 0xFFFF || opcode.isControl else { throw .lengthNotMinimal }
        }
        if opcode.isControl {
            guard isFinal else { throw .fragmentedControlFrame }
            guard offset == 2 else { throw .controlFrameTooLong }
        }
        self.init(
            isFinal: isFinal, isCompressed: isCompressed, opcode: opcode, payloadSize: payloadSize,
            maskingKey: isMasked ? MaskingKey(at: bytes + offset) : nil)
    }
}
