import CHeartwire
import CSystem
import WebSocket

/// A socket that clients connect to.
final class ListenSocket {
    let fd: Int32

    /// Binds and listens.
    init(_ address: SocketAddress) throws(ErrorDetails) {
        fd = withUnsafePointer(to: address.storage) { hws_listen($0, address.size) }
        guard fd < 0 else { return }
        let code = hws_errno()
        let error = ErrorDetails(HW_E_SYSTEM, HW_LAYER_TCP, "cannot listen at \(address.text): \(systemErrorText(code))")
        error.nativeCode = code
        throw error
    }

    deinit { close(fd) }

    var address: SocketAddress? {
        var storage = sockaddr_storage()
        var size: socklen_t = 0
        return hws_local_address(fd, &storage, &size) == 0 ? SocketAddress(storage: storage, size: size) : nil
    }

    /// The next client's socket; nil if nobody waits.
    func accept() -> Int32? {
        var storage = sockaddr_storage()
        var size: socklen_t = 0
        let client = hws_accept(fd, &storage, &size)
        return client >= 0 ? client : nil
    }
}
