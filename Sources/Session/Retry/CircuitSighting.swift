import Heartbeat

/// What a session has seen of the circuit of the host that it last dealt with, by whichever of its connections.
package final class CircuitSighting {
    /// What the circuit became since the session last looked.
    package struct Change {
        package let from: HostGate.Circuit
        package let to: HostGate.Circuit
        /// Lower-case host name or address, and port: "h:443".
        package let host: [UInt8]
        /// How long it stays open; zero unless it is.
        package let openFor: Interval
    }

    private var host: [UInt8] = []
    private var seen = HostGate.Circuit.closed
    private var change: Change?

    package init() {}

    func look(_ view: HostGateView, of host: [UInt8], _ now: Instant) {
        if !host.elementsEqual(self.host) { (self.host, seen, change) = (host, .closed, nil) }
        guard view.circuit != seen else { return }
        let openFor = view.openUntil.map { max(.zero, $0 - now) } ?? .zero
        change = Change(from: change?.from ?? seen, to: view.circuit, host: host, openFor: openFor)
        seen = view.circuit
    }

    /// Gives each change once.
    package func takeChange() -> Change? {
        defer { change = nil }
        return change
    }
}
