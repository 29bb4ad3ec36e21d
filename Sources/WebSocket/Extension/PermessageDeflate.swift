/// Negotiation of the permessage-deflate extension (RFC 7692 section 7.1), in both roles.

/// What one end proposes, or both have agreed on.
package struct DeflateParameters: Equatable {
    /// Base-2 logarithms of the window sizes, 8 to 15.
    package var clientWindowBits = 15
    package var serverWindowBits = 15
    /// Whether a message may refer to those before it.
    package var clientContextTakeover = true
    package var serverContextTakeover = true

    package init() {}
}

package enum PermessageDeflate {
    private static let name: StaticString = "permessage-deflate"

    /// The parameters of one offer or answer as they stand in the header field; nil bits for a parameter without a value.
    private struct Written {
        var clientBits: Int??
        var serverBits: Int?
        var clientNoTakeover = false
        var serverNoTakeover = false

        /// Nil if a parameter is unknown, comes twice, or has a value that it may not have (RFC 7692 section 7.1): all of that
        /// declines an offer and fails an answer.
        init?(_ parameters: ArraySlice<ArraySlice<UInt8>>) {
            for parameter in parameters {
                let equals = parameter.firstIndex(of: 0x3D)
                let name = ASCII.trimmed(parameter[..<(equals ?? parameter.endIndex)])
                let value = equals.map { ASCII.trimmed(parameter[($0 + 1)...]) }
                if ASCII.equalsIgnoringCase(name, "client_no_context_takeover") {
                    guard value == nil, !clientNoTakeover else { return nil }
                    clientNoTakeover = true
                } else if ASCII.equalsIgnoringCase(name, "server_no_context_takeover") {
                    guard value == nil, !serverNoTakeover else { return nil }
                    serverNoTakeover = true
                } else if ASCII.equalsIgnoringCase(name, "client_max_window_bits") {
                    guard clientBits == nil else { return nil }
                    guard let value else {
                        clientBits = .some(nil)
                        continue
                    }
                    guard let bits = Self.windowBits(value) else { return nil }
                    clientBits = bits
                } else if ASCII.equalsIgnoringCase(name, "server_max_window_bits") {
                    guard serverBits == nil, let value, let bits = Self.windowBits(value) else { return nil }
                    serverBits = bits
                } else {
                    return nil
                }
            }
        }

        /// 8 to 15 without leading zeros; quotes around it are allowed (RFC 7692 section 7.1.2, RFC 6455 section 9.1).
        private static func windowBits(_ value: ArraySlice<UInt8>) -> Int? {
            var digits = value
            if digits.count >= 2 && digits.first == 0x22 && digits.last == 0x22 { digits = digits.dropFirst().dropLast() }
            guard digits.first != 0x30, let bits = ASCII.decimal(digits, max: 15), bits >= 8 else { return nil }
            return Int(bits)
        }
    }

    /// The client's offer: that it can limit its window is always said, because it costs nothing and some servers want to.
    package static func offer(_ wanted: DeflateParameters) -> [UInt8] {
        var text = ASCII.bytes(name)
        if !wanted.serverContextTakeover { text += ASCII.bytes("; server_no_context_takeover") }
        if !wanted.clientContextTakeover { text += ASCII.bytes("; client_no_context_takeover") }
        if wanted.serverWindowBits < 15 { text += bits("; server_max_window_bits=", wanted.serverWindowBits) }
        text +=
            wanted.clientWindowBits < 15
            ? bits("; client_max_window_bits=", wanted.clientWindowBits) : ASCII.bytes("; client_max_window_bits")
        return text
    }

    /// The client's check of the answer to `offer`: nil if the server chose no extension.
    package static func agreed(
        _ fields: [ArraySlice<UInt8>], offer: DeflateParameters?
    ) throws(HandshakeError) -> DeflateParameters? {
        let extensions = fields.flatMap { ASCII.list($0) }
        guard let chosen = extensions.first else { return nil }
        let parts = parameters(chosen)
        guard let offer, extensions.count == 1, let first = parts.first, ASCII.equalsIgnoringCase(first, name) else {
            throw .unaskedExtension
        }
        guard let written = Written(parts.dropFirst()) else { throw .invalidExtensionParameters }
        var result = offer
        if let answer = written.clientBits {
            guard let bits = answer, bits <= offer.clientWindowBits else { throw .invalidExtensionParameters }
            result.clientWindowBits = bits
        }
        // What limits the server is agreed on only if the server repeats it.
        guard written.serverBits ?? 15 <= offer.serverWindowBits, offer.serverContextTakeover || written.serverNoTakeover else {
            throw .invalidExtensionParameters
        }
        result.serverWindowBits = written.serverBits ?? 15
        result.serverContextTakeover = !written.serverNoTakeover
        if written.clientNoTakeover { result.clientContextTakeover = false }
        return result
    }

    /// The server's choice among a client's offers: the first that can be met within `limits`, and the answer that says so. Nil leaves the
    /// connection without compression.
    package static func accept(
        _ fields: [ArraySlice<UInt8>], limits: DeflateParameters
    ) -> (parameters: DeflateParameters, answer: [UInt8])? {
        for offered in fields.flatMap({ ASCII.list($0) }) {
            let parts = parameters(offered)
            guard let first = parts.first, ASCII.equalsIgnoringCase(first, name), let written = Written(parts.dropFirst()) else { continue }
            // A client that did not say that it can limit its window cannot be asked to.
            if limits.clientWindowBits < 15 && written.clientBits == nil { continue }
            var result = limits
            result.serverWindowBits = min(limits.serverWindowBits, written.serverBits ?? 15)
            if let asked = written.clientBits { result.clientWindowBits = min(limits.clientWindowBits, asked ?? 15) }
            if written.serverNoTakeover { result.serverContextTakeover = false }
            if written.clientNoTakeover { result.clientContextTakeover = false }
            return (result, answer(result))
        }
        return nil
    }

    private static func answer(_ agreed: DeflateParameters) -> [UInt8] {
        var text = ASCII.bytes(name)
        if !agreed.serverContextTakeover { text += ASCII.bytes("; server_no_context_takeover") }
        if !agreed.clientContextTakeover { text += ASCII.bytes("; client_no_context_takeover") }
        if agreed.serverWindowBits < 15 { text += bits("; server_max_window_bits=", agreed.serverWindowBits) }
        if agreed.clientWindowBits < 15 { text += bits("; client_max_window_bits=", agreed.clientWindowBits) }
        return text
    }

    private static func parameters(_ extension: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        ASCII.split(`extension`, at: 0x3B).map(ASCII.trimmed)
    }

    private static func bits(_ text: StaticString, _ value: Int) -> [UInt8] {
        ASCII.bytes(text) + String(value).bytes
    }
}
