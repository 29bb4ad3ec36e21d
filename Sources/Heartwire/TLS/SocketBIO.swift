import CSystem

/// OpenSSL's way to a socket whose descriptor it does not own: writes that cannot raise SIGPIPE, and what came of the last call.
final class SocketBIO {
    private let fd: Int32
    /// The last receive found nothing there.
    var isEmpty = false
    /// Counts until it is set back.
    var bytesReceived = 0
    /// Once so many are received nothing more is, as if nothing were there; but `isEmpty` is not set.
    var bytesMax = Int.max
    /// The errno of the last failed call; 0 after the end of the stream.
    private(set) var error: Int32 = 0

    init(fd: Int32) {
        self.fd = fd
    }

    /// Nil if OpenSSL is out of memory. The BIO must not outlive this object.
    func makeBIO() -> OpaquePointer? {
        guard let method = Self.method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    /// Made once for the process; OpenSSL keeps a pointer to it in every BIO.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR
        guard let method = BIO_meth_new(type, "heartwire socket") else { return nil }
        BIO_meth_set_read(method) { bio, buffer, size in
            guard let bio, let socket = SocketBIO.of(bio) else { return -1 }
            hws_bio_clear_retry(bio)
            let count = socket.receive(buffer, Int(size))
            if count < 0 && hws_would_block(socket.error) != 0 { hws_bio_set_retry_read(bio) }
            return Int32(clamping: count)
        }
        BIO_meth_set_write(method) { bio, bytes, size in
            guard let bio, let socket = SocketBIO.of(bio) else { return -1 }
            hws_bio_clear_retry(bio)
            let count = socket.send(bytes, Int(size))
            if count < 0 && hws_would_block(socket.error) != 0 { hws_bio_set_retry_write(bio) }
            return Int32(clamping: count)
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    private static func of(_ bio: OpaquePointer) -> SocketBIO? {
        BIO_get_data(bio).map { Unmanaged<SocketBIO>.fromOpaque($0).takeUnretainedValue() }
    }

    private func receive(_ buffer: UnsafeMutableRawPointer?, _ size: Int) -> Int {
        guard bytesReceived < bytesMax else {
            error = EAGAIN
            return -1
        }
        let count = hws_receive(fd, buffer, size)
        error = count < 0 ? hws_errno() : 0
        isEmpty = count < 0
        bytesReceived &+= max(0, count)
        return count
    }

    private func send(_ bytes: UnsafeRawPointer?, _ size: Int) -> Int {
        let count = hws_send(fd, bytes, size)
        error = count < 0 ? hws_errno() : 0
        return count
    }
}
