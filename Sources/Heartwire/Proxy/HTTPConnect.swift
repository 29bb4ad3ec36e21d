import WebSocket

/// The CONNECT method of HTTP (RFC 9110 section 9.3.6) with Basic authentication (RFC 7617), the client's side.
final class HTTPConnect: ProxyHandshake {
    private var output: [UInt8]
    private var reader = HTTPHeadReader()
    private var isOpen = false

    init(to server: URL, credentials: Proxy.Credentials?) {
        let host = server.isIPv6 ? [0x5B] + server.host.prefix { $0 != 0x25 } + [0x5D] : server.host
        let target = host + [0x3A] + String(server.port).bytes
        output = ASCII.bytes("CONNECT ") + target + ASCII.bytes(" HTTP/1.1\r\nHost: ") + target
        if let credentials {
            output += ASCII.bytes("\r\nProxy-") + BasicAuthentication.authorization(credentials.text)
        }
        output += ASCII.bytes("\r\n\r\n")
    }

    func takeOutput() -> [UInt8] {
        defer { output = [] }
        return output
    }

    func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(ProxyError) -> Bool {
        while !isOpen {
            let head: HTTPHead?
            do throws(HTTPHeadError) {
                head = try reader.read(input, consumed: &consumed)
            } catch {
                throw .head(error)
            }
            guard let head else { return false }
            switch head.status {
            // Whatever its fields say, nothing but the tunnel follows the head.
            case 200...299: isOpen = true
            // Interim answers (RFC 9110 section 15.2) come before the real one; switching protocols is none.
            case 100, 102...199: continue
            default: throw .status(head.status)
            }
        }
        return true
    }
}
