import Session

/// Events tell a story without gaps: each change of state once and as documented, a connection opens before it closes, epochs count up,
/// nothing comes after a final state but RELEASED, and that is the last, and comes once.
final class EventsAreInOrder: Checker {
    private var state = State.disconnected
    private var epoch: UInt64 = 0
    private var isOpen = false
    private var heartbeatsRun = false
    private var hasEnded = false
    private var isReleased = false
    private var lastTime = Int64.min

    private static let transitions: [State: Set<State>] = [
        .disconnected: [.connecting],
        .connecting: [.connected, .reconnecting, .disconnected, .failed],
        .connected: [.reconnecting, .closing, .disconnected, .failed],
        .reconnecting: [.connected, .disconnected, .failed],
        .closing: [.disconnected],
        .failed: [],
    ]

    private var hasHeartbeats: Bool { plan.session.heartbeat.ping != nil || plan.session.heartbeat.rules != nil }

    override func see(_ fact: Fact) {
        switch fact {
        case .event(let event): check(event)
        case .delivered:
            expect(isOpen, "a message is delivered while no connection is open")
            expect(!isReleased, "a message is delivered after RELEASED")
        case .attemptBegan:
            expect(!hasEnded && !isReleased, "an attempt begins after the end")
            expect(!isOpen, "an attempt begins while a connection is open")
        case .released:
            expect(client.isReleaseAsked, "RELEASED without a release")
            expect(!isReleased, "RELEASED twice")
            isReleased = true
        case .ended: expect(isReleased == client.isReleaseAsked, "the handle was released, and there is no RELEASED")
        default: break
        }
    }

    private func check(_ event: Event) {
        expect(!isReleased, "an event after RELEASED: \(event.text)")
        expect(!hasEnded, "an event after the final state: \(event.text)")
        expect(event.time.nanoseconds >= lastTime, "an event that is older than the one before: \(event.text)")
        lastTime = event.time.nanoseconds
        switch event.kind {
        case .stateChanged(let from, let reason):
            expect(from == state, "the state changes from \(from), which it was not: it was \(state)")
            expect(Self.transitions[from]?.contains(event.state) == true, "the state changes from \(from) to \(event.state)")
            state = event.state
            if state == .connected { epoch += 1 }
            hasEnded = state.isFinal
            expect((state == .failed || state == .reconnecting) == (reason != nil), "\(state) with reason: \(reason != nil)")
            if hasEnded { expect(!isOpen, "a final state while a connection is open") }
        case .opened:
            expect(!isOpen, "opened twice")
            expect(state == .connected, "opened in the state \(state)")
            isOpen = true
        case .closed:
            expect(isOpen, "closed, and nothing was open")
            expect(!heartbeatsRun, "closed while heartbeats run")
            isOpen = false
        case .attemptFailed: expect(!isOpen, "an attempt failed while a connection is open")
        case .heartbeat(let note):
            if case .started = note.kind { heartbeatsRun = true }
            expect(heartbeatsRun || !hasHeartbeats, "heartbeat \(note.kindName) while heartbeats do not run")
            expect(isOpen, "heartbeat \(note.kindName) while no connection is open")
            if case .stopped = note.kind { heartbeatsRun = false }
        case .writable, .readingPaused, .messagesDropped, .warning, .released: break
        }
        expect(event.state == state, "the event \(event.text) says \(event.state), the state is \(state)")
        expect(event.epoch == epoch, "the event \(event.text) says epoch \(event.epoch), it is \(epoch)")
    }
}
