import Heartbeat
import Session

/// The gates of all hosts that connections of this process go to, whichever thread they run on.
final class SharedHostGates: HostGates, @unchecked Sendable {
    private let lock = Lock()
    private let table = HostGateTable()

    func admit(_ caller: HostGateCaller, _ now: Instant, _ random: inout Random) -> (HostGate.Admission, HostGateView) {
        lock.withLock { table.admit(caller, now, &random) }
    }

    func attemptEnded(_ caller: HostGateCaller, _ health: HostGate.Health, _ now: Instant) -> HostGateView {
        lock.withLock { table.attemptEnded(caller, health, now) }
    }
}
