/// The state of a managed connection, as the application sees it.
package enum State: Int32 {
    case disconnected = 0
    case connecting = 1
    case connected = 2
    case reconnecting = 3
    case closing = 4
    case failed = 5

    /// True for the states that nothing leaves.
    package var isFinal: Bool {
        switch self {
        case .disconnected, .failed: true
        case .connecting, .connected, .reconnecting, .closing: false
        }
    }
}
