import Heartbeat
import WebSocket

/// The gates of all hosts, shared by the sessions that go there.
package protocol HostGates: AnyObject {
    func admit(_ caller: HostGateCaller, _ now: Instant, _ random: inout Random) -> (HostGate.Admission, HostGateView)
    func attemptEnded(_ caller: HostGateCaller, _ health: HostGate.Health, _ now: Instant) -> HostGateView
}

/// A session before the gate of one host.
package struct HostGateCaller {
    let host: [UInt8]
    let token: UInt64
    let policy: HostGate.Policy
}

/// How a gate's circuit stands.
package struct HostGateView {
    package let circuit: HostGate.Circuit
    /// Until when an open circuit lets nothing through.
    package let openUntil: Instant?
}

/// The gates by host and port. Those that remember nothing of use are forgotten when a new host comes, and beyond `hostsMax` the one that
/// nobody has used for longest.
package final class HostGateTable: HostGates {
    private final class Host {
        let name: [UInt8]
        var gate = HostGate()
        var used: Instant

        init(_ name: [UInt8], _ now: Instant) {
            self.name = name
            used = now
        }
    }

    package static let hostsMax = 1024

    private var hosts: [Host] = []

    package init() {}

    package var count: Int { hosts.count }

    package func admit(_ caller: HostGateCaller, _ now: Instant, _ random: inout Random) -> (HostGate.Admission, HostGateView) {
        let host = host(caller.host, now)
        let admission = host.gate.admit(caller.token, caller.policy, now, &random)
        return (admission, view(host))
    }

    package func attemptEnded(_ caller: HostGateCaller, _ health: HostGate.Health, _ now: Instant) -> HostGateView {
        let host = host(caller.host, now)
        host.gate.attemptEnded(caller.token, health, caller.policy, now)
        return view(host)
    }

    private func view(_ host: Host) -> HostGateView {
        HostGateView(circuit: host.gate.circuit, openUntil: host.gate.openUntil)
    }

    private func host(_ name: [UInt8], _ now: Instant) -> Host {
        if let known = hosts.first(where: { $0.name.elementsEqual(name) }) {
            known.used = now
            return known
        }
        hosts.removeAll { $0.gate.isIdle(now) }
        if hosts.count >= Self.hostsMax, let oldest = hosts.indices.min(by: { hosts[$0].used < hosts[$1].used }) {
            hosts.remove(at: oldest)
        }
        let host = Host(name, now)
        hosts.append(host)
        return host
    }
}
