import Heartbeat
import WebSocket

/// A session's dealings with the gate of the host that its attempts go to. An attempt is one to the host of the URL that it begins with:
/// where a proxy, a redirect or the application's word before the attempt leads it does not count apart.
package struct HostVisitor {
    private let gates: any HostGates
    private let policy: HostGate.Policy
    private let token: UInt64
    private let sighting: CircuitSighting
    private var host: [UInt8] = []
    /// An attempt is admitted or waits in line, and the gate has not heard of its end.
    private var isExpected = false

    /// `token` is this visitor's alone; `sighting` is shared by those of one session.
    package init(_ gates: any HostGates, _ policy: HostGate.Policy, token: UInt64, _ sighting: CircuitSighting) {
        self.gates = gates
        self.policy = policy
        self.token = token
        self.sighting = sighting
    }

    package mutating func admit(to url: URL, _ now: Instant, _ random: inout Random) -> HostGate.Admission {
        let name = Self.name(url)
        if !name.elementsEqual(host) {
            leave(now)
            host = name
        }
        let (admission, view) = gates.admit(caller, now, &random)
        isExpected = true
        look(view, now)
        return admission
    }

    /// The attempt succeeded, failed or was given up; without one this does nothing.
    @inline(never)
    package mutating func attemptEnded(_ health: HostGate.Health, _ now: Instant) {
        guard isExpected else { return }
        isExpected = false
        look(gates.attemptEnded(caller, health, now), now)
    }

    /// The session gives up whatever it is at.
    package mutating func leave(_ now: Instant) {
        attemptEnded(.unknown, now)
    }

    private var caller: HostGateCaller { HostGateCaller(host: host, token: token, policy: policy) }

    /// A circuit that holds this session's attempts back never is none to it.
    private mutating func look(_ view: HostGateView, _ now: Instant) {
        if policy.failuresMax > 0 { sighting.look(view, of: host, now) }
    }

    private static func name(_ url: URL) -> [UInt8] {
        url.host.map { ASCII.lowercased($0) } + [0x3A] + String(url.port).bytes
    }
}
