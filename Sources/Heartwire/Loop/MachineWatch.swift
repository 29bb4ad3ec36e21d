import CSystem
import Heartbeat

/// What happens to the machine as a whole and puts every connection in doubt: a suspension, and a change of its network.
final class MachineWatch {
    enum Change {
        case suspended
        case network
    }

    private let poller: Poller
    private var suspension: SuspensionWatch
    /// Ends the poller's wait when the machine resumes. Nil where there is none to be had: then whatever ends it next does.
    private let clockChanges: Int32?
    private var network: NetworkWatch?
    private var hasAskedForNetwork = false
    private var wasSuspended = false

    /// Beyond those of sockets, which begin with a slot's number.
    private static let clockData = UInt64.max - 1
    private static let networkData = UInt64.max - 2

    init(_ poller: Poller) {
        self.poller = poller
        suspension = SuspensionWatch(monotonic: Clock.now(), boottime: Clock.boottime())
        let descriptor = hws_clock_changes()
        clockChanges = descriptor < 0 ? nil : descriptor
        if descriptor >= 0 { _ = poller.add(descriptor, .readable, data: Self.clockData) }
    }

    deinit {
        if let clockChanges { close(clockChanges) }
        if let network { close(network.descriptor) }
    }

    /// From now on changes of the network are told too, if the kernel tells of them.
    func watchNetwork() {
        guard !hasAskedForNetwork else { return }
        hasAskedForNetwork = true
        network = NetworkWatch()
        if let network { _ = poller.add(network.descriptor, .readable, data: Self.networkData) }
    }

    /// When `takeChange` has something at the latest.
    var deadline: Instant? { network?.deadline }

    /// The clocks are compared at once, before the turn takes time itself.
    func beginTurn(_ now: Instant) {
        if suspension.wasSuspended(monotonic: now, boottime: Clock.boottime()) { wasSuspended = true }
    }

    /// True if `ready` was about a descriptor of this one's. `buffer` is for what is read.
    func take(_ ready: Poller.Ready, _ buffer: UnsafeMutableRawBufferPointer, _ now: Instant) -> Bool {
        switch ready.data {
        case Self.clockData:
            if let clockChanges { hws_clock_changes_clear(clockChanges) }
            return true
        case Self.networkData:
            if let descriptor = network?.descriptor, network?.read(into: buffer, now) == false {
                // It stays open: after an error like this the number may be a descriptor of the host's.
                poller.remove(descriptor)
                network = nil
            }
            return true
        default:
            return false
        }
    }

    func takeChange(_ now: Instant) -> Change? {
        if wasSuspended {
            wasSuspended = false
            return .suspended
        }
        return network?.takeChange(now) == true ? .network : nil
    }
}
