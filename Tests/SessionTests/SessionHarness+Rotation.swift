import Heartbeat
import Session

/// Rotations: another connection beside the one that stands.
extension SessionHarness {
    /// A connected session of which the events so far are forgotten, and whose old connections leave no time for answers.
    static func connected(_ change: (inout SessionConfiguration) -> Void = { _ in }) -> SessionHarness {
        let harness = SessionHarness(seed: 1) {
            $0.rotateLinger = .zero
            change(&$0)
        }
        harness.connect()
        _ = harness.takeEvents()
        return harness
    }

    /// Begins a rotation; the test plays the new connection's server from here on.
    func rotate() {
        step { session.rotate(now) }
        place = session.active.other
    }

    /// A rotation up to the new connection's opening handshake.
    func changeOver() {
        rotate()
        openTransport()
        acceptHandshake()
    }

    /// The old server answers the close frame and ends the transport.
    func retire(_ place: LinkPlace = .first) {
        self.place = place
        receiveClose(1000)
        endTransport()
    }
}
