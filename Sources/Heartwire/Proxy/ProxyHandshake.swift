import WebSocket

/// Why a proxy gave no tunnel.
enum ProxyError: Error, Equatable {
    /// The answer is no HTTP response.
    case head(HTTPHeadError)
    /// Any status but 2xx.
    case status(UInt16)
    /// What came is not SOCKS5.
    case notSOCKS5
    /// None of the methods of authentication that we offer will do.
    case methodsRefused
    case credentialsRefused
    /// A reply of SOCKS5 other than "succeeded".
    case reply(UInt8)
    case ended

    /// What the proxy did, to follow its name.
    var phrase: String {
        switch self {
        case .head(.tooLarge), .head(.tooManyFields): "answered with too large a head"
        case .head: "did not answer in HTTP/1.1; is it an HTTP proxy?"
        // Some answer 401, which is a server's status, to credentials that they do not know.
        case .status(let status) where status == 407 || status == 401:
            "wants a user name and a password, or others (HTTP status \(status)): set them as in http://user:password@host"
        case .status(let status): "refused to connect to the server, or could not (HTTP status \(status))"
        case .notSOCKS5: "did not answer in SOCKS5; is it a SOCKS5 proxy?"
        case .methodsRefused: "wants another authentication: set a user name and a password as in socks5://user:password@host"
        case .credentialsRefused: "did not accept the user name and password"
        case .reply(let reply): "could not connect to the server: \(Self.reason(reply))"
        case .ended: "ended the connection before it had answered"
        }
    }

    /// True if the same may succeed later; of HTTP statuses by the rule that holds for a server's.
    var isRetryable: Bool {
        switch self {
        case .status(let status): HTTPRefusal.mayPass(status)
        case .reply(let reply): ![2, 7, 8].contains(reply)
        case .ended: true
        case .head, .notSOCKS5, .methodsRefused, .credentialsRefused: false
        }
    }

    var httpStatus: UInt16 {
        if case .status(let status) = self { status } else { 0 }
    }

    /// The reply of SOCKS5, else 0.
    var nativeCode: Int32 {
        if case .reply(let reply) = self { Int32(reply) } else { 0 }
    }

    /// RFC 1928 section 6.
    private static func reason(_ reply: UInt8) -> String {
        switch reply {
        case 1: "general failure"
        case 2: "its rules do not allow it"
        case 3: "the network is unreachable"
        case 4: "the host is unreachable, or its name does not resolve"
        case 5: "the server refused the connection"
        case 6: "the time to live ran out"
        case 7: "it does not know CONNECT"
        case 8: "it does not know this type of address"
        default: "SOCKS5 reply \(reply)"
        }
    }
}

/// The exchange with a proxy that makes a connection to it a tunnel to the server. No socket: bytes in, bytes out.
protocol ProxyHandshake: AnyObject {
    /// What is to be sent now; gives it once.
    func takeOutput() -> [UInt8]

    /// Takes received bytes from `consumed` on, as far as they are the proxy's own; true once the tunnel is open. What follows is the server's.
    func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(ProxyError) -> Bool
}

extension Proxy {
    func handshake(to server: URL) -> any ProxyHandshake {
        switch kind {
        case .http: HTTPConnect(to: server, credentials: credentials)
        case .socks5: SOCKS5(to: server, credentials: credentials)
        }
    }
}
