import WebSocket

extension Failure {
    /// The HTTP status or close code that events report of it; nil if there is none.
    var code: UInt16? {
        switch self {
        case .handshake(.refused(let refusal)), .handshake(.redirect(_, let refusal)): refusal.status
        case .transport(let failure): failure.code
        case .closedByPeer(let frame): frame.code
        case .protocolViolation(let error): error.closeCode
        case .heartbeat(_, let closeCode): closeCode
        case .slowConsumer: CloseCode.policyViolation
        default: nil
        }
    }

    /// An answer to the opening handshake that no WebSocket server gives. Something else may have stood in for the server for a while.
    var isInvalidAnswer: Bool {
        guard case .handshake(let error) = self else { return false }
        switch error {
        case .refused, .redirect: return false
        default: return true
        }
    }

    /// What a failed attempt says about the host that was to be reached.
    package var hostHealth: HostGate.Health {
        switch self {
        case .transport(let failure): failure.hostHealth
        case .handshake(.refused(let refusal)): refusal.status == 429 || refusal.status >= 500 ? .unwell : .well
        case .connectTimeout, .handshakeTimeout: .unwell
        case .beforeConnect: .unmade
        case .handshake, .protocolViolation, .closedByPeer, .heartbeat, .slowConsumer, .script, .accepting: .well
        }
    }
}

extension TransportFailure {
    /// Linux's ENETDOWN and ENETUNREACH.
    private static let networkIsDown: Int32 = 100
    private static let networkIsUnreachable: Int32 = 101

    fileprivate var code: UInt16? {
        switch kind {
        case .lost: CloseCode.abnormal
        case .proxy(.refusal(let status, _)): status == 0 ? nil : status
        default: nil
        }
    }

    fileprivate var hostHealth: HostGate.Health {
        switch kind {
        // Our own network leads nowhere.
        case .connect where nativeCode == Self.networkIsDown || nativeCode == Self.networkIsUnreachable: .unknown
        case .connect, .timeout, .lost, .tls: .unwell
        // The proxy answers, and could not reach the host.
        case .proxy(.refusal(_, let isRetryable)): isRetryable ? .unwell : .unknown
        // The host answers, and a person must mend what it or we have.
        case .certificate, .clientCertificate, .tlsVersion: .well
        case .resolve, .system, .proxy(.unresolved), .proxy(.unreachable): .unknown
        }
    }
}
