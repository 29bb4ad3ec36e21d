import CSystem
import Session

/// Carries a proxy's handshake over a connected socket. Lives on the I/O thread; never waits.
final class ProxyTunnel {
    enum Progress {
        case wantsRead
        case wantsWrite
        case open
        case failed(ProxyError)
    }

    let fd: Int32
    private let handshake: any ProxyHandshake
    private var unsent: [UInt8] = []

    private static let readSize = 4096

    init(fd: Int32, _ handshake: any ProxyHandshake) {
        self.fd = fd
        self.handshake = handshake
    }

    /// Sends what is to be sent and reads once, so that a flood does not keep the I/O thread.
    ///
    /// Bytes are taken from the socket only after the handshake has claimed them: the server's own, right behind, stay for whoever reads next.
    func advance() -> Progress {
        if let progress = send() { return progress }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.readSize, alignment: 1)
        defer { buffer.deallocate() }
        let count = hws_peek(fd, buffer.baseAddress, buffer.count)
        guard count > 0 else { return count < 0 && hws_would_block(hws_errno()) != 0 ? .wantsRead : .failed(.ended) }
        var consumed = 0
        do throws(ProxyError) {
            let isOpen = try handshake.read(UnsafeRawBufferPointer(rebasing: buffer[..<count]), consumed: &consumed)
            _ = hws_receive(fd, buffer.baseAddress, consumed)
            return isOpen ? .open : send() ?? .wantsRead
        } catch {
            return .failed(error)
        }
    }

    /// Nil when everything is sent.
    private func send() -> Progress? {
        unsent += handshake.takeOutput()
        while !unsent.isEmpty {
            let count = unsent.withUnsafeBytes { hws_send(fd, $0.baseAddress, $0.count) }
            guard count >= 0 else { return hws_would_block(hws_errno()) != 0 ? .wantsWrite : .failed(.ended) }
            unsent.removeFirst(count)
        }
        return nil
    }
}
