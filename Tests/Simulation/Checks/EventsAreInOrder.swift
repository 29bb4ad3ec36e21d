import Session

/// Events tell a story without gaps: each change of state once and as documented, a connection opens before it closes, epochs count up, there
/// is one connection but for rotations, which are told step by step, nothing comes after a final state but RELEASED, and that comes once.
final class EventsAreInOrder: Checker {
    private enum Rotation {
        case none
        case started
        /// The successor came to nothing; it is tried again, or not.
        case failed
        case switched
    }

    private var state = State.disconnected
    private var isOpen: Set<UInt64> = []
    private var heartbeatsRun: Set<UInt64> = []
    private var rotation = Rotation.none
    private var hasAttemptBegun = false
    private var hasEnded = false
    private var isReleased = false
    private var lastTime = Int64.min

    private static let transitions: [State: Set<State>] = [
        .disconnected: [.connecting],
        .connecting: [.connected, .reconnecting, .closing, .disconnected, .failed],
        .connected: [.reconnecting, .closing, .disconnected, .failed],
        .reconnecting: [.connected, .closing, .disconnected, .failed],
        .closing: [.disconnected],
        .failed: [],
    ]

    private var hasHeartbeats: Bool { plan.session.heartbeat.ping != nil || plan.session.heartbeat.rules != nil }

    override func see(_ fact: Fact) {
        switch fact {
        case .event(let event): check(event)
        case .delivered(_, let epoch), .leftOut(_, let epoch):
            expect(isOpen.contains(epoch), "a message of connection \(epoch), which is not open")
            expect(!isReleased, "a message after RELEASED")
        case .attemptBegan:
            expect(!hasEnded && !isReleased, "an attempt begins after the end")
            // The events that explain it come next.
            hasAttemptBegun = true
        case .settled:
            let isExplained = isOpen.isEmpty || rotation != .none
            expect(!hasAttemptBegun || isExplained, "an attempt begins beside an open connection, and no rotation is told")
            hasAttemptBegun = false
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
        case .stateChanged(let from, let reason, _): changed(from, event.state, hasReason: reason != nil)
        case .opened:
            expect(isOpen.isEmpty || rotation != .none && isOpen.count == 1, "opened beside another connection, and no rotation is told")
            isOpen.insert(event.epoch)
        case .closed:
            expect(isOpen.remove(event.epoch) != nil, "closed, and connection \(event.epoch) was not open")
            expect(!heartbeatsRun.contains(event.epoch), "closed while heartbeats run")
        case .rotation(let step, _, _): rotated(step, event.epoch)
        case .heartbeat(let note):
            if case .started = note.kind { heartbeatsRun.insert(event.epoch) }
            expect(heartbeatsRun.contains(event.epoch) || !hasHeartbeats, "heartbeat \(note.kindName) while heartbeats do not run")
            expect(isOpen.contains(event.epoch), "heartbeat \(note.kindName) while connection \(event.epoch) is not open")
            if case .stopped = note.kind { heartbeatsRun.remove(event.epoch) }
        default: break
        }
        expect(event.state == state, "the event \(event.text) says \(event.state), the state is \(state)")
    }

    private func changed(_ from: State, _ new: State, hasReason: Bool) {
        expect(from == state, "the state changes from \(from), which it was not: it was \(state)")
        expect(Self.transitions[from]?.contains(new) == true, "the state changes from \(from) to \(new)")
        state = new
        hasEnded = state.isFinal
        expect((state == .failed || state == .reconnecting) == hasReason, "\(state) with reason: \(hasReason)")
        if state == .connected { expect(!isOpen.isEmpty, "connected without a connection") }
        if hasEnded { expect(isOpen.isEmpty, "a final state while a connection is open") }
        // An old connection may still retire while the new one is lost.
        if state != .connected && rotation != .switched { rotation = .none }
    }

    private func rotated(_ step: RotationStep, _ epoch: UInt64) {
        switch step {
        case .started:
            expect(rotation == .none || rotation == .failed, "a rotation starts in the midst of another")
            rotation = .started
        case .switched:
            expect(rotation == .started || rotation == .failed, "a rotation switches that has not started")
            expect(isOpen.contains(epoch), "messages go by connection \(epoch) now, which is not open")
            rotation = .switched
        case .finished:
            expect(rotation == .switched, "a rotation is finished that has not switched")
            expect(!isOpen.contains(epoch), "a rotation is finished while the old connection is open")
            rotation = .none
        case .failed:
            expect(rotation == .started || rotation == .failed, "a rotation fails that has not started")
            // The reason why comes with the next state, if the old connection was lost.
            rotation = .failed
        }
    }
}
