import CSystem
import Session

/// An SSL_CTX: protocol versions, verification and the trusted certificates. Shared by all connections with the same settings, because a
/// trust store costs megabytes and tens of milliseconds.
final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    private init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    enum Made {
        case context(TLSContext)
        case failed(TransportFailure)
    }

    /// Reads the trust store, which may block on the disk for some milliseconds. `caFile` is empty for the system's.
    static func make(caFile: [UInt8]) -> Made {
        guard let pointer = SSL_CTX_new(TLS_client_method()) else {
            let reason = TLSError.lastReason() ?? "out of memory"
            return .failed(TransportFailure(kind: .tls, nativeCode: 0, sentence: "OpenSSL could not be set up: \(reason)"))
        }
        let context = TLSContext(pointer)
        _ = hws_ssl_ctx_set_minimum_tls12(pointer)
        hws_ssl_ctx_set_modes(pointer)
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        let failure = caFile.isEmpty ? TrustStore.loadSystem(into: pointer) : TrustStore.load(file: caFile, into: pointer)
        if let failure { return .failed(failure) }
        return .context(context)
    }
}

/// What OpenSSL says about a failure.
enum TLSError {
    /// The reason of the oldest error in this thread's queue, which is emptied.
    static func lastReason() -> String? {
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0, let text = ERR_reason_error_string(code) else { return nil }
        return String(cString: text)
    }
}
