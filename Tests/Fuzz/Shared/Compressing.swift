import WebSocket

/// The library's own streams over zlib, which is part of every system that can run this.
private let zlib = Zlib.shared.map { ZlibProvider($0, memoryLevel: 1) }

func decompression(keepsContext: Bool) -> Decompression {
    guard let inflater = zlib?.inflater(windowBits: 9) else { fatalError("no inflater") }
    return Decompression(inflater: inflater, keepsContext: keepsContext)
}

func makeDeflater() -> any Deflater {
    guard let deflater = zlib?.deflater(windowBits: 9) else { fatalError("no deflater") }
    return deflater
}

func appendFrame(
    _ opcode: Opcode, isFinal: Bool, isCompressed: Bool = false, _ payload: [UInt8], maskingKey: MaskingKey? = nil, to wire: inout ByteQueue
) {
    payload.withUnsafeBytes {
        FrameWriter.append(
            opcode: opcode, isFinal: isFinal, isCompressed: isCompressed, payload: $0, maskingKey: maskingKey, to: &wire)
    }
}
