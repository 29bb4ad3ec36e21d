import Heartbeat
import WebSocket

/// The other end: a client has connected, and asks for a WebSocket connection. There is one place, one connection, and no attempt after it.
extension Session {
    package enum RequestVerdict {
        /// With this subprotocol and these parameters of compression: pass what they make of the answer to `accepted`.
        case accept(Acceptance)
        /// Pass to `turnedAway`.
        case refuse(AcceptFailure)
        /// The application is asked; `decided` tells what it said.
        case ask
    }

    /// What the server's answer says.
    package struct Acceptance {
        package let agreement: Agreement
        /// The value of Sec-WebSocket-Extensions.
        package let extensions: [UInt8]?
    }

    /// A client has connected: its request is awaited.
    package mutating func clientConnected(_ now: Instant) {
        guard case .idle = phase else { return }
        phase = .live
        let link = activeLink
        link.request = ServerHandshake(headSizeMax: configuration.handshakeSizeMax)
        link.phase = .handshaking(deadline: now + configuration.connectTimeout)
        change(to: .connecting, reason: nil, now)
    }

    /// The whole request has arrived.
    package mutating func requestReceived(_ request: HandshakeRequest, _ now: Instant) -> RequestVerdict {
        let link = activeLink
        guard case .handshaking(let deadline) = link.phase, let policy = configuration.acceptance else { return .ask }
        guard policy.allows(request.origin) else {
            return .refuse(AcceptFailure(status: 403, sentence: "Pages of this origin may not connect."))
        }
        link.request = nil
        guard policy.asks else { return .accept(acceptance(of: request)) }
        lastAttemptId &+= 1
        link.phase = .preparing(attemptId: lastAttemptId, deadline: deadline)
        emit(.acceptDue(attemptId: lastAttemptId, request, within: max(.zero, deadline - now)), now)
        return .ask
    }

    /// What is agreed with the client, as far as it is the server's choice.
    package func acceptance(of request: HandshakeRequest) -> Acceptance {
        let subprotocol = request.subprotocol(among: configuration.subprotocols) ?? []
        let deflate = configuration.compression.flatMap { PermessageDeflate.accept(request.extensions, limits: $0.offer) }
        return Acceptance(
            agreement: Agreement(subprotocol: subprotocol, compression: deflate?.parameters), extensions: deflate?.answer)
    }

    /// The client is accepted with this answer.
    package mutating func accepted(_ agreement: Agreement, answer: [UInt8], _ now: Instant, _ outboxes: inout Outboxes) {
        let link = activeLink
        switch link.phase {
        case .handshaking(let deadline), .preparing(_, let deadline):
            outboxes[active].beginHandshake(answer)
            link.phase = .handshaking(deadline: deadline)
            handshakeSucceeded(active, agreement, now, &outboxes)
        case .idle, .connecting, .answering, .opening, .open, .closing, .draining:
            return
        }
    }

    /// What was asked for instead of a connection; nil if that is no page.
    package func pageRequest(of place: LinkPlace) -> PageRequest? { link(place).request?.pageRequest }

    /// The answer to a request for a page: whoever asked may take it in their own time, as far as that goes.
    package mutating func answered(_ answer: [UInt8], _ now: Instant, _ outboxes: inout Outboxes) {
        guard case .handshaking(let deadline) = activeLink.phase else { return }
        activeLink.request = nil
        outboxes[active].beginHandshake(answer)
        activeLink.phase = .answering(deadline: deadline)
    }

    /// The client is not accepted; it has been told.
    package mutating func turnedAway(_ failure: AcceptFailure, _ now: Instant, _ outboxes: inout Outboxes) {
        switch activeLink.phase {
        case .handshaking, .preparing: attemptFailed(activeLink, .accepting(failure), now, &outboxes)
        case .idle, .connecting, .answering, .opening, .open, .closing, .draining: return
        }
    }
}
