import WebSocket

/// A message that goes into many queues, with one copy of its bytes for all of them. Never changed, so any thread may read it.
package final class SharedMessage: @unchecked Sendable {
    package let kind: MessageKind
    let plain: ByteQueue
    /// The same compressed by itself, without the tail that ends every flush: for connections that agreed on the whole window.
    let compressed: ByteQueue
    let isCompressed: Bool

    /// Of what is compressed for all connections.
    package static let windowBits = 15

    /// `deflater` has the whole window, and is nil if the message is not to be compressed.
    package init(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ deflater: (any Deflater)?) {
        self.kind = kind
        var plain = ByteQueue()
        plain.append(payload)
        self.plain = plain
        var compressed = ByteQueue()
        let isDeflated = deflater?.deflate(payload, into: &compressed) ?? false
        deflater?.reset()
        if isDeflated { compressed.removeLast(Compression.tail.count) }
        self.compressed = compressed
        isCompressed = isDeflated
    }
}
