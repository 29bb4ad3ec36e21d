import CSystem

/// Certificates and keys in PEM form (RFC 7468), from files or from memory.
enum PEM {
    enum Content {
        case text([UInt8])
        case failed(errno: Int32, reason: String)
    }

    /// Larger files hold something else.
    private static let fileSizeMax = 16 << 20

    /// Reads a file, which may block on the disk.
    static func contents(ofFile path: [UInt8]) -> Content {
        let fd = hws_open_to_read(path.map { CChar(bitPattern: $0) } + [0])
        guard fd >= 0 else { return failure(hws_errno()) }
        defer { close(fd) }
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 65536)
        let blockSize = block.count
        while true {
            let count = hws_read(fd, &block, blockSize)
            if count == 0 { return .text(text) }
            guard count > 0 else { return failure(hws_errno()) }
            text += block.prefix(count)
            guard text.count <= fileSizeMax else { return failure(EFBIG) }
        }
    }

    private static func failure(_ code: Int32) -> Content {
        .failed(errno: code, reason: systemErrorText(code))
    }

    enum Certificates {
        /// How many there were.
        case read(Int)
        case broken(number: Int, reason: String)
    }

    /// Calls `body` with each certificate of the text, whatever else it holds. They are borrowed.
    static func eachCertificate(in text: [UInt8], _ body: (OpaquePointer) -> Void) -> Certificates {
        guard let bio = memory(text) else { return .broken(number: 1, reason: "out of memory") }
        defer { BIO_free(bio) }
        var count = 0
        ERR_clear_error()
        while let certificate = PEM_read_bio_X509_AUX(bio, nil, refusePassword, nil) {
            body(certificate)
            X509_free(certificate)
            count += 1
        }
        let isEnd = hws_is_end_of_pem(ERR_peek_last_error()) != 0
        let reason = TLSError.lastReason() ?? "unreadable"
        return isEnd ? .read(count) : .broken(number: count + 1, reason: reason)
    }

    enum Key {
        /// To be freed with EVP_PKEY_free.
        case key(OpaquePointer)
        /// Encrypted, and no password was given.
        case locked
        /// There is none, or none that OpenSSL understands.
        case unreadable(reason: String)
    }

    /// The first private key of the text.
    static func key(in text: [UInt8], password: [UInt8]) -> Key {
        guard let bio = memory(text) else { return .unreadable(reason: "out of memory") }
        defer { BIO_free(bio) }
        var request = PasswordRequest(password: password)
        ERR_clear_error()
        if let key = withUnsafeMutablePointer(to: &request, { PEM_read_bio_PrivateKey(bio, nil, answerPassword, $0) }) { return .key(key) }
        let reason = TLSError.lastReason() ?? "unknown form"
        if request.wasMade && password.isEmpty { return .locked }
        return .unreadable(reason: request.wasMade ? "tls.key_password does not open it" : reason)
    }

    private static func memory(_ text: [UInt8]) -> OpaquePointer? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        guard text.isEmpty || BIO_write(bio, text, Int32(clamping: text.count)) == Int32(clamping: text.count) else {
            BIO_free(bio)
            return nil
        }
        return bio
    }

    fileprivate struct PasswordRequest {
        let password: [UInt8]
        var wasMade = false
    }
}

/// Without these OpenSSL would ask on the terminal.
private func answerPassword(
    _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int32, _ isToEncrypt: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let request = context?.assumingMemoryBound(to: PEM.PasswordRequest.self), let buffer else { return -1 }
    request.pointee.wasMade = true
    let password = request.pointee.password
    guard !password.isEmpty, password.count <= Int(capacity) else { return -1 }
    for (index, byte) in password.enumerated() { buffer[index] = CChar(bitPattern: byte) }
    return Int32(clamping: password.count)
}

private func refusePassword(
    _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int32, _ isToEncrypt: Int32, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}
