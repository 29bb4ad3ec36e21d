/// Encoding of frames (RFC 6455 section 5.2) at the end of a byte queue.
package enum FrameWriter {
    /// Appends one frame. With a masking key the payload is masked on its way, in one pass.
    @inline(__always)
    package static func append(
        opcode: Opcode, isFinal: Bool, isCompressed: Bool = false, payload: UnsafeRawBufferPointer, maskingKey: MaskingKey?,
        to queue: inout ByteQueue
    ) {
        let start = queue.reserve(FrameHeader.sizeMax &+ payload.count)
        start.storeBytes(of: (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue, as: UInt8.self)
        let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
        var offset = 2
        if payload.count < 126 {
            start.storeBytes(of: maskBit | UInt8(truncatingIfNeeded: payload.count), toByteOffset: 1, as: UInt8.self)
        } else if payload.count <= 0xFFFF {
            start.storeBytes(of: maskBit | 126, toByteOffset: 1, as: UInt8.self)
            start.storeBytes(of: UInt16(truncatingIfNeeded: payload.count).bigEndian, toByteOffset: 2, as: UInt16.self)
            offset = 4
        } else {
            start.storeBytes(of: maskBit | 127, toByteOffset: 1, as: UInt8.self)
            start.storeBytes(of: UInt64(truncatingIfNeeded: payload.count).bigEndian, toByteOffset: 2, as: UInt64.self)
            offset = 10
        }
        if let maskingKey {
            maskingKey.store(at: start + offset)
            offset &+= 4
        }
        if let base = payload.baseAddress {
            if let maskingKey {
                maskingKey.apply(from: base, to: start + offset, count: payload.count)
            } else {
                (start + offset).copyMemory(from: base, byteCount: payload.count)
            }
        }
        queue.commit(offset &+ payload.count)
    }
}
