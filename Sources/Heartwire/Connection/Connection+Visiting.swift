import Session
import WebSocket

/// The I/O thread's part with clients of a listener that ask for a page, or for the monitor's connection: those are the library's own to
/// answer, and none of the host's business.
extension Connection {
    /// It serves a page, or the monitor's connection.
    var isVisitor: Bool { listener != nil && handle == nil }

    /// Turns a client away that was let in to hear why; false if it is none.
    func refuses() -> Bool {
        guard let refusal else { return false }
        turnAway(refusal, .refusedFull)
        settle()
        return true
    }

    /// Answers if it is a page that was asked for; false if it is not.
    func servesPage(_ channel: Channel) -> Bool {
        guard let request = session.pageRequest(of: channel.place), let answer = listener?.answer(request) else { return false }
        takeOver(channel)?.answer(answer)
        return true
    }

    /// Answers if the request is for the monitor's connection; false if it is not.
    func servesMonitor(_ request: HandshakeRequest, isLast: Bool) -> Bool {
        guard let listener, !isVisitor else { return false }
        switch listener.pages.live(request) {
        case .elsewhere:
            return false
        case .refused(let answer):
            takeOver(channel(.first))?.answer(answer)
        case .allowed:
            takeOver(channel(.first))?.requested(request, isLast: isLast)
        }
        return true
    }

    private func answer(_ text: [UInt8]) {
        withSession { $0.answered(text, io.now, &$1) }
        settle()
    }

    /// The socket goes to a connection of the library's own; this one ends, and nobody has heard of it.
    private func takeOver(_ channel: Channel) -> Connection? {
        guard let listener, let plan = listener.visitorPlan, let stream = lock.withLock({ channel.transport.release() }) else { return nil }
        admission = .visiting
        _ = library.handles.remove(handle, .connection)
        tearDown()
        let visitor = Connection(plan, library: library, io: io, listener: listener)
        listener.welcome(visitor)
        visitor.serve(stream, nil)
        return visitor
    }
}
