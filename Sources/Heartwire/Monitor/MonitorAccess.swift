import CHeartwire
import CSystem
import Session
import WebSocket

/// Who may look at the monitor: whoever knows the token; if there is none, whoever sits at this machine.
struct MonitorAccess {
    /// Empty for none.
    private let token: [UInt8]

    init(_ settings: Config.Settings, at address: SocketAddress) throws(ErrorDetails) {
        token = settings.bytes(.listenerMonitorToken)
        guard !token.isEmpty else {
            guard address.isLoopback else {
                throw ConnectionPlan.conflict(
                    "listener.monitor is on, and other machines can reach \(address.text): "
                        + "set listener.monitor_token, or listen at 127.0.0.1 or [::1]")
            }
            return
        }
        // What need not be escaped in a query, nor in a header field.
        let isPlain = token.allSatisfy { ASCII.isTokenCharacter($0) && !ASCII.bytes("!#$%&'*+^`|").contains($0) }
        guard isPlain, (16...256).contains(token.count) else {
            throw ErrorDetails(
                HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'listener.monitor_token' takes 16 to 256 letters, digits, -, ., _ and ~")
        }
    }

    /// Why this request is turned away; nil if it is not. What was asked with stands in no answer.
    func refusal(resource: [UInt8], host: [UInt8], _ fields: HTTPFields) -> AcceptFailure? {
        guard token.isEmpty else {
            let isKnown = given(resource, fields).contains { isToken($0) }
            return isKnown ? nil : AcceptFailure(status: 401, sentence: "The monitor needs its token: /monitor?token=...")
        }
        // Without a token a page from elsewhere could have its own name point to this machine (DNS rebinding), and read what is here.
        let isHere = Self.isLoopbackName(host)
        return isHere ? nil : AcceptFailure(status: 403, sentence: "The monitor is at localhost, 127.0.0.1 or [::1] alone.")
    }

    /// As `refusal`, of the live connection: no page but the monitor's own may open it. Who is no browser names no origin.
    func refusalOfLive(_ request: HandshakeRequest) -> AcceptFailure? {
        if let refusal = refusal(resource: request.resource, host: request.host, request.fields) { return refusal }
        guard let origin = request.origin else { return nil }
        let isOwn = ["http://" as StaticString, "https://"].contains { scheme in
            let expected = ASCII.bytes(scheme) + request.host
            return expected.count == origin.count && zip(expected, origin).allSatisfy { ASCII.lowercased($0) == ASCII.lowercased($1) }
        }
        return isOwn ? nil : AcceptFailure(status: 403, sentence: "Pages of this origin may not look at the monitor.")
    }

    /// What may be the token: the query's, and the Authorization's (RFC 6750 sections 2.1 and 2.3).
    private func given(_ resource: [UInt8], _ fields: HTTPFields) -> [ArraySlice<UInt8>] {
        let query = resource.drop { $0 != 0x3F }.dropFirst()
        let asked = ASCII.split(query, at: 0x26).filter { $0.starts(with: ASCII.bytes("token=")) }.map { $0.dropFirst(6) }
        let authorized = fields.values("authorization").filter { ASCII.equalsIgnoringCase($0.prefix(7), "bearer ") }
        return asked + authorized.map { ASCII.trimmed($0.dropFirst(7)) }
    }

    /// In a time that says nothing about where they differ.
    private func isToken(_ text: ArraySlice<UInt8>) -> Bool {
        text.count == token.count && CRYPTO_memcmp([UInt8](text), token, token.count) == 0
    }

    private static func isLoopbackName(_ host: [UInt8]) -> Bool {
        do throws(URLError) {
            let (name, _, _) = try URL.splitHost(host[...])
            if name.elementsEqual(ASCII.bytes("localhost")) { return true }
            guard case .addresses(let addresses)? = Resolver.numeric(name, port: 0) else { return false }
            return addresses.allSatisfy { $0.isLoopback }
        } catch {
            return false
        }
    }
}
