import CSystem
import WebSocket

/// Makes the raw deflate streams of permessage-deflate from zlib.
final class ZlibProvider: CompressionProvider {
    private let zlib: Zlib
    private let memoryLevel: Int

    init(_ zlib: Zlib, memoryLevel: Int) {
        self.zlib = zlib
        self.memoryLevel = memoryLevel
    }

    func inflater(windowBits: Int) -> (any Inflater)? { ZlibInflater(zlib, windowBits: windowBits) }

    func deflater(windowBits: Int) -> (any Deflater)? {
        ZlibDeflater(zlib, windowBits: windowBits, memoryLevel: memoryLevel)
    }
}

final class ZlibInflater: Inflater {
    private let zlib: Zlib
    /// On the heap, because zlib remembers where it stands.
    private let stream: Zlib.Stream

    /// Nil if there is no memory. The block of zlib's state is small; its window comes with the first message that needs it.
    init?(_ zlib: Zlib, windowBits: Int) {
        self.zlib = zlib
        stream = .allocate(capacity: 1)
        stream.initialize(to: hws_z_stream())
        // Negative: raw deflate, without header and checksum. A failed initializer runs deinit, which a stream without state survives.
        guard zlib.inflateInit(stream, -Int32(clamping: windowBits), Zlib.version, Zlib.streamSize) == Zlib.ok else { return nil }
    }

    deinit {
        _ = zlib.inflateEnd(stream)
        stream.deallocate()
    }

    func inflate(_ input: UnsafeRawBufferPointer, consumed: inout Int, into output: UnsafeMutableRawBufferPointer) -> Int? {
        let available = UInt32(clamping: input.count &- consumed)
        let room = UInt32(clamping: output.count)
        stream.pointee.next_in = input.baseAddress.map { ($0 + consumed).assumingMemoryBound(to: UInt8.self) }
        stream.pointee.avail_in = available
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = room
        defer { consumed &+= Int(available &- stream.pointee.avail_in) }
        while true {
            switch zlib.inflate(stream, Zlib.syncFlush) {
            case Zlib.ok, Zlib.bufferError:
                return Int(room &- stream.pointee.avail_out)
            case Zlib.streamEnd:
                // A final block ends nothing here: messages may still refer to what came before it (RFC 7692 section 7.2.3.4).
                guard zlib.inflateResetKeep(stream) == Zlib.ok else { return nil }
                if stream.pointee.avail_in == 0 || stream.pointee.avail_out == 0 { return Int(room &- stream.pointee.avail_out) }
            default:
                return nil
            }
        }
    }

    func reset() {
        _ = zlib.inflateReset(stream)
    }
}

final class ZlibDeflater: Deflater {
    private let zlib: Zlib
    private let windowBits: Int32
    private let memoryLevel: Int32
    private let stream: Zlib.Stream
    /// Zlib's state is there. It is large, and many connections never send anything that is compressed for them alone.
    private var isReady = false

    init(_ zlib: Zlib, windowBits: Int, memoryLevel: Int) {
        self.zlib = zlib
        self.windowBits = Int32(clamping: windowBits)
        self.memoryLevel = Int32(clamping: memoryLevel)
        stream = .allocate(capacity: 1)
        stream.initialize(to: hws_z_stream())
    }

    deinit {
        if isReady { _ = zlib.deflateEnd(stream) }
        stream.deallocate()
    }

    /// False if there is no memory.
    private func prepare() -> Bool {
        guard !isReady else { return true }
        let result = zlib.deflateInit(
            stream, Zlib.levelDefault, Zlib.methodDeflated, -windowBits, memoryLevel, Zlib.strategyDefault, Zlib.version, Zlib.streamSize)
        isReady = result == Zlib.ok
        return isReady
    }

    func deflate(_ input: UnsafeRawBufferPointer, into output: inout ByteQueue) -> Bool {
        guard prepare() else { return false }
        let before = output.count
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(clamping: input.count)
        let room = input.count / 2 &+ 64
        repeat {
            stream.pointee.next_out = output.reserve(room).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(clamping: room)
            let result = zlib.deflate(stream, Zlib.syncFlush)
            guard result == Zlib.ok || result == Zlib.bufferError else { return false }
            output.commit(room &- Int(stream.pointee.avail_out))
        } while stream.pointee.avail_out == 0
        // Nothing to compress right after a flush gives nothing: an empty stored block stands for it (RFC 7692 section 7.2.3.6).
        if output.count == before { output.append([0x00] + Compression.tail) }
        return true
    }

    func reset() {
        if isReady { _ = zlib.deflateReset(stream) }
    }
}
