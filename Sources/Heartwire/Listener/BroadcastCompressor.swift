import Session
import WebSocket

/// Makes the messages of broadcasts: compressed once, if the listener's clients may have agreed on compression. Any thread may use it.
final class BroadcastCompressor: @unchecked Sendable {
    private let compression: CompressionConfiguration?
    private let lock = Lock()
    private var deflater: (any Deflater)?

    init(_ compression: CompressionConfiguration?) {
        self.compression = compression
    }

    func message(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> SharedMessage {
        guard let compression, payload.count >= compression.threshold else { return SharedMessage(kind, payload, nil) }
        return lock.withLock {
            if deflater == nil { deflater = compression.provider.deflater(windowBits: SharedMessage.windowBits) }
            return SharedMessage(kind, payload, deflater)
        }
    }
}
