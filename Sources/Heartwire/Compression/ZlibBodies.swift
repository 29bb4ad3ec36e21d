import CSystem
import Heartbeat
import WebSocket

/// Compressed heartbeats: one message, one body in gzip (RFC 1952), zlib (RFC 1950) or raw deflate (RFC 1951) form.
///
/// Only the I/O thread decodes, so one stream of each coding serves all connections of a configuration.
final class ZlibBodies: BodyCoder {
    private let zlib: Zlib
    private let inflaters: [Zlib.Stream]

    /// zlib's names for the forms: the window of 15 bits, 16 more for gzip, negative for raw.
    private static let windowBits: [Int32] = [31, 15, -15]

    init(_ zlib: Zlib) {
        self.zlib = zlib
        inflaters = Self.windowBits.map { bits in
            let stream = Zlib.Stream.allocate(capacity: 1)
            stream.initialize(to: hws_z_stream())
            _ = zlib.inflateInit(stream, bits, Zlib.version, Zlib.streamSize)
            return stream
        }
    }

    deinit {
        for stream in inflaters {
            _ = zlib.inflateEnd(stream)
            stream.deallocate()
        }
    }

    /// Gzip may consist of several members, one after the other (RFC 1952 section 2.2).
    func decode(_ coding: BodyCoding, _ input: UnsafeRawBufferPointer, into output: inout ByteQueue, sizeMax: Int) -> Bool {
        let stream = inflaters[Int(coding.rawValue)]
        output.removeAll()
        guard !input.isEmpty, zlib.inflateReset(stream) == Zlib.ok else { return false }
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(clamping: input.count)
        while true {
            // One byte more than allowed, so that a body that is too large is seen to be.
            let room = min(max(256, input.count &* 4), sizeMax &+ 1 &- output.count)
            guard room > 0 else { return false }
            stream.pointee.next_out = output.reserve(room).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(clamping: room)
            let result = zlib.inflate(stream, Zlib.syncFlush)
            output.commit(room &- Int(stream.pointee.avail_out))
            switch result {
            case Zlib.ok:
                // All input is used up, and it has not come to its end.
                if stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 { return false }
            case Zlib.streamEnd:
                if stream.pointee.avail_in == 0 { return output.count <= sizeMax }
                guard coding == .gzip, zlib.inflateReset(stream) == Zlib.ok else { return false }
            default:
                return false
            }
        }
    }

    func encode(_ coding: BodyCoding, _ input: [UInt8]) -> [UInt8]? {
        let stream = Zlib.Stream.allocate(capacity: 1)
        stream.initialize(to: hws_z_stream())
        defer {
            _ = zlib.deflateEnd(stream)
            stream.deallocate()
        }
        let bits = Self.windowBits[Int(coding.rawValue)]
        let memoryLevel: Int32 = 8
        guard
            zlib.deflateInit(
                stream, Zlib.levelDefault, Zlib.methodDeflated, bits, memoryLevel, Zlib.strategyDefault, Zlib.version, Zlib.streamSize)
                == Zlib.ok
        else { return nil }
        // More than deflate can come to for incompressible input, headers included.
        var output = [UInt8](repeating: 0, count: input.count + input.count / 1000 + 64)
        var written: Int?
        input.withUnsafeBytes { bytes in
            stream.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(clamping: bytes.count)
            output.withUnsafeMutableBufferPointer { buffer in
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(clamping: buffer.count)
                if zlib.deflate(stream, Zlib.finish) == Zlib.streamEnd { written = buffer.count - Int(stream.pointee.avail_out) }
            }
        }
        return written.map { [UInt8](output.prefix($0)) }
    }
}
