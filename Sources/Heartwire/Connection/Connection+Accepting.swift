import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// The I/O thread's part with a client of a listener, until it is let in, and after it has gone.
extension Connection {
    enum Admission {
        case awaited
        case accepted
        case refused
        /// It asked for what is none of the host's business, and another connection goes on with it.
        case visiting
    }

    private static let shownPathMax = 128

    /// A client has connected. One without a handle is the library's own.
    func serve(_ stream: Stream, _ handle: OpaquePointer?) {
        lock.withLock { self.handle = handle }
        slot = io.adopt(self)
        lastSerial &+= 1
        let channel = channel(.first)
        channel.serial = lastSerial
        lock.withLock {
            channel.transport.accept(stream, data: pollerData(channel))
            session.clientConnected(io.now)
        }
        settle()
    }

    /// Its request has arrived. `isLast`: with nothing after it.
    func requested(_ request: HandshakeRequest, isLast: Bool) {
        if refuses() || servesMonitor(request, isLast: isLast) { return }
        if !isVisitor {
            library.metrics.add(self)
            let path = request.resource.prefix { $0 != 0x3F }
            if path.count > 1 { askedPath = [UInt8](path.prefix(Self.shownPathMax)) }
        }
        switch session.requestReceived(request, io.now) {
        case .accept(let acceptance):
            accept(request, acceptance)
        case .refuse(let failure):
            turnAway(failure, .refusedOrigin)
        case .ask where !isLast:
            turnAway(AcceptFailure(status: 400, sentence: "Nothing may follow the request before its answer."), .refusedRequest)
        case .ask:
            pendingRequest = request
        }
        settle()
    }

    func turnAway(_ failure: AcceptFailure, _ reason: ListenerCounts.Counter) {
        admission = .refused
        listener?.counts.count(reason)
        lock.withLock { () -> Void in
            _ = failure.response.withUnsafeBytes { channel(.first).transport.stream?.write($0) }
            session.turnedAway(failure, io.now, &outboxes)
        }
    }

    /// The application has decided.
    func decide(_ attemptId: UInt64, _ refusal: AcceptFailure?) {
        guard session.preparingAttempts.0 == attemptId, let request = pendingRequest else { return }
        pendingRequest = nil
        if let refusal { turnAway(refusal, .refusedApplication) } else { accept(request, session.acceptance(of: request)) }
    }

    /// Once the client has gone so has the connection. A handle that the host has never seen ends with it.
    func endIfServed() {
        guard listener != nil, session.state.isFinal, !isTornDown else { return }
        if !isHeardOf { _ = library.handles.remove(handle, .connection) }
        tearDown()
    }

    /// It has gone, for whatever reason.
    func countDeparture() {
        guard let listener, !isVisitor else { return }
        switch admission {
        case .awaited: listener.counts.count(.refusedUnfinished)
        case .accepted: listener.counts.clientGone()
        case .refused, .visiting: break
        }
    }

    /// Whether the host is told: those that never ask properly are none of its business.
    func concernsHost(_ record: EventRecord) -> Bool {
        guard listener != nil, !isHeardOf else { return true }
        guard !isVisitor else { return false }
        let kind = Int(record.event.kind)
        isHeardOf = kind == Int(HW_EVENT_ACCEPT_DUE) || kind == Int(HW_EVENT_OPENED)
        return isHeardOf
    }

    private func accept(_ request: HandshakeRequest, _ acceptance: Session.Acceptance) {
        guard let proof = HandshakeNonce.proof(of: request.key) else {
            turnAway(AcceptFailure(status: 500, sentence: "The server has no SHA-1."), .refusedRequest)
            return
        }
        let subprotocol = acceptance.agreement.subprotocol
        let answer = ServerHandshake.acceptance(
            proof: proof, subprotocol: subprotocol.isEmpty ? nil : subprotocol, extensions: acceptance.extensions)
        admission = .accepted
        if isVisitor { io.monitor.add(self, io.now) } else { listener?.counts.clientAccepted() }
        withSession { $0.accepted(acceptance.agreement, answer: answer, io.now, &$1) }
    }
}
