/// Whether what is expected from the server comes. Beyond `unknown`, more is better.
package enum Health: UInt8 {
    case unknown
    case error
    case warning
    case healthy

    /// The worse of the two; one that is unknown says nothing.
    package static func worse(_ a: Health, _ b: Health) -> Health {
        if a == .unknown { return b }
        if b == .unknown { return a }
        return a.rawValue < b.rawValue ? a : b
    }

    /// The worst of all signals is the connection's health.
    package static func worst(of signals: some Sequence<Health>) -> Health {
        var result = Health.unknown
        for signal in signals { result = worse(result, signal) }
        return result
    }
}
