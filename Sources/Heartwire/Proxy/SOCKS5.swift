import WebSocket

/// SOCKS5 (RFC 1928) with a user name and password (RFC 1929), the client's side. Names go to the proxy as they are and are resolved there.
final class SOCKS5: ProxyHandshake {
    private enum State {
        case method
        case authentication
        case reply
        case open
    }

    private var state = State.method
    private var output: [UInt8]
    /// The bytes of the present answer so far.
    private var answer: [UInt8] = []
    private let request: [UInt8]
    /// The message of RFC 1929; nil without credentials.
    private let authentication: [UInt8]?

    private static let version: UInt8 = 5
    private static let authenticationVersion: UInt8 = 1
    private static let noAuthentication: UInt8 = 0
    private static let userNameAndPassword: UInt8 = 2

    /// Names, user names and passwords have at most 255 bytes, as `URL` and `Proxy` see to.
    init(to server: URL, credentials: Proxy.Credentials?) {
        request = [Self.version, 1, 0] + Self.address(server.host) + [UInt8(server.port >> 8), UInt8(server.port & 0xFF)]
        if let credentials {
            let user = [UInt8(clamping: credentials.user.count)] + credentials.user
            authentication = [Self.authenticationVersion] + user + [UInt8(clamping: credentials.password.count)] + credentials.password
            output = [Self.version, 2, Self.noAuthentication, Self.userNameAndPassword]
        } else {
            authentication = nil
            output = [Self.version, 1, Self.noAuthentication]
        }
    }

    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(ProxyError) -> Bool {
        while true {
            if case .open = state { return true }
            guard consumed < input.count else { return false }
            answer.append(input[consumed])
            consumed += 1
            switch state {
            case .method: try readMethod()
            case .authentication: try readAuthentication()
            case .reply: try readReply()
            case .open: break
            }
        }
    }

    private func readMethod() throws(ProxyError) {
        guard answer[0] == Self.version else { throw .notSOCKS5 }
        guard answer.count == 2 else { return }
        if answer[1] == Self.noAuthentication {
            next(.reply, output: request)
        } else if let authentication, answer[1] == Self.userNameAndPassword {
            next(.authentication, output: authentication)
        } else {
            throw .methodsRefused
        }
    }

    private func readAuthentication() throws(ProxyError) {
        guard answer[0] == Self.authenticationVersion else { throw .notSOCKS5 }
        guard answer.count == 2 else { return }
        guard answer[1] == 0 else { throw .credentialsRefused }
        next(.reply, output: request)
    }

    /// The address that the proxy connects from is read and not used.
    private func readReply() throws(ProxyError) {
        guard answer[0] == Self.version else { throw .notSOCKS5 }
        guard answer.count >= 2 else { return }
        guard answer[1] == 0 else { throw .reply(answer[1]) }
        guard answer.count >= 5 else { return }
        let addressSize: Int
        switch answer[3] {
        case 1: addressSize = 4
        case 3: addressSize = 1 + Int(answer[4])
        case 4: addressSize = 16
        default: throw .notSOCKS5
        }
        if answer.count == 4 + addressSize + 2 { next(.open, output: []) }
    }

    private func next(_ new: State, output: [UInt8]) {
        state = new
        self.output += output
        answer = []
    }

    /// The server as the request names it: type, then address or name.
    private static func address(_ host: [UInt8]) -> [UInt8] {
        guard let address = IPAddress(parsing: host.prefix { $0 != 0x25 }) else { return [3, UInt8(clamping: host.count)] + host }
        return [address.bytes.count == 4 ? 1 : 4] + address.bytes
    }
}
