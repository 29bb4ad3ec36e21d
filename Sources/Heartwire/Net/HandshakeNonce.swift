import CSystem
import Session
import WebSocket

extension HandshakeNonce {
    /// A fresh key of 16 random bytes and its proof (RFC 6455 sections 4.1 and 4.2.2); nil if OpenSSL cannot give SHA-1.
    static func random() -> HandshakeNonce? {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { SystemRandom.fill($0) }
        var key = [UInt8](repeating: 0, count: 25)
        EVP_EncodeBlock(&key, bytes, Int32(bytes.count))
        key.removeLast()
        return proof(of: key).map { HandshakeNonce(key: key, accept: $0) }
    }

    /// What a server answers to a key (RFC 6455 section 4.2.2); nil if OpenSSL cannot give SHA-1.
    static func proof(of key: [UInt8]) -> [UInt8]? {
        let guid: StaticString = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        var accept = [UInt8](repeating: 0, count: 29)
        guard hws_sha1_base64(key, key.count, guid.utf8Start, guid.utf8CodeUnitCount, &accept) == 0 else { return nil }
        accept.removeLast()
        return accept
    }

    static let failure = TransportFailure(
        kind: .tls, nativeCode: 0, sentence: "OpenSSL does not give SHA-1, which the opening handshake needs; is it restricted to FIPS?")
}
