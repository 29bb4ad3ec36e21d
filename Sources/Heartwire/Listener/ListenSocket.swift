import CHeartwire
import CSystem
import WebSocket

/// A socket that clients connect to.
final class ListenSocket {
    let fd: Int32
    /// Held to be given up; -1 if there was none to be had.
    private var spare = hws_eventfd()

    /// Binds and listens.
    init(_ address: SocketAddress) throws(ErrorDetails) {
        fd = withUnsafePointer(to: address.storage) { hws_listen($0, address.size) }
        guard fd < 0 else { return }
        let code = hws_errno()
        let error = ErrorDetails(HW_E_SYSTEM, HW_LAYER_TCP, "cannot listen at \(address.text): \(systemErrorText(code))")
        error.nativeCode = code
        throw error
    }

    deinit {
        if spare >= 0 { close(spare) }
        close(fd)
    }

    /// Gives the address back at once, though the descriptor may still be in use for a while. Any thread.
    func stop() {
        shutdown(fd, Int32(SHUT_RDWR))
    }

    var address: SocketAddress? {
        var storage = sockaddr_storage()
        var size: socklen_t = 0
        return hws_local_address(fd, &storage, &size) == 0 ? SocketAddress(storage: storage, size: size) : nil
    }

    enum Accepted {
        case client(Int32)
        /// One that waited has gone.
        case gone
        case nobody
        /// Somebody waits, and cannot be let in for this reason (errno).
        case failed(Int32)
    }

    func accept() -> Accepted {
        let client = next()
        if client >= 0 { return .client(client) }
        let code = hws_errno()
        if hws_would_block(code) != 0 { return .nobody }
        return hws_accept_lost(code) != 0 ? .gone : .failed(code)
    }

    /// For want of descriptors: hands over the next client, to be told and closed at once, in place of the spare descriptor. Otherwise it
    /// would wait for as long as all others stay. False if that does not go either.
    func acceptWithSpare(_ turnAway: (Int32) -> Void) -> Bool {
        if spare >= 0 { close(spare) }
        let client = next()
        if client >= 0 { turnAway(client) }
        spare = hws_eventfd()
        return client >= 0
    }

    private func next() -> Int32 {
        var storage = sockaddr_storage()
        var size: socklen_t = 0
        return hws_accept(fd, &storage, &size)
    }
}
