import Heartbeat
import Session

/// One connection that carries 20,000 messages a second each way and is rotated again and again: how many are lost, and how many come twice.
enum Rush {
    private static let burst = 20
    private static let every = Interval.milliseconds(1)
    private static let length = Interval.seconds(20)

    /// Prints a line: whether duplicates are dropped, rotations, messages of ours and lost ones, items for us, lost ones and doubled ones.
    static func measure(seed: UInt64, _ coverage: Coverage) {
        for dropsDuplicates in [false, true] {
            let change = World.Change(world: shape) { plan in shape(&plan, dropsDuplicates: dropsDuplicates) }
            let world = World(seed: seed, coverage: coverage, change: change)
            world.run()
            Measuring.report(world)
            guard let client = world.clients.first, let tally = client.tally else { continue }
            let counts = [
                tally.rotations, client.outgoing.count, tally.lostMessages, tally.expected.count, tally.lostItems, tally.doubled,
            ]
            print("rush\t\(dropsDuplicates)\t\(counts.map { "\($0)" }.joined(separator: "\t"))")
        }
    }

    private static func shape(_ plan: inout WorldPlan) {
        plan.clientCount = 1
        plan.hosts = Array(plan.hosts.prefix(1))
        (plan.hostility, plan.faultsEvery, plan.lateness) = (0, nil, .zero)
        plan.gate = HostGate.Policy()
        (plan.trouble, plan.calm, plan.auditEvery) = (length, .seconds(30), .seconds(1))
        plan.troubleStepsMax = .max
        var quality = Half.Quality()
        quality.latency = .milliseconds(20)
        (quality.sendBuffer, quality.receiveBuffer) = (1 << 20, 1 << 20)
        plan.qualities = [quality]
        plan.connectDelayMax = .milliseconds(50)
    }

    private static func shape(_ plan: inout ClientPlan, dropsDuplicates: Bool) {
        plan.outbox = Outbox.Limits(messagesMax: 100_000, bytesMax: 1 << 24, fragmentSize: 65536, hasBeats: plan.hasRules)
        (plan.sendsEvery, plan.feedEvery, plan.burst) = (every, every, burst)
        (plan.messageSizeMax, plan.nowShare, plan.timeToLive, plan.sendsParts) = (100, 0, nil, false)
        (plan.rotatesEvery, plan.session.rotateAfter) = (.seconds(2), nil)
        (plan.closesAfter, plan.releasesAfter, plan.takesBreaks) = (nil, nil, nil)
        (plan.inboxMax, plan.readSize) = (1 << 20, 65536)
        plan.session.asksBeforeConnect = false
        plan.session.rotateLinger = .seconds(1)
        plan.session.connectTimeout = .seconds(15)
        plan.session.closeTimeout = .seconds(5)
        plan.dropsDuplicates = dropsDuplicates
        plan.session.duplicateKey = dropsDuplicates ? Wording.duplicateKey : nil
        plan.isTallied = true
    }
}

/// Counts the items that one client is told of, by their keys.
final class Tally: Checker {
    private var items: Set<Int> = []
    private(set) var doubled = 0
    private(set) var rotations = 0
    private(set) var lostMessages = 0
    /// From the first key that a server has sent to the last one before the calm.
    private(set) var expected = 0..<0

    var lostItems: Int { expected.count { !items.contains($0) } }

    override func see(_ fact: Fact) {
        switch fact {
        case .delivered(let payload, _):
            guard let key = Wording.key(payload) else { return }
            if !items.insert(key).inserted { doubled += 1 }
        case .serverSent(_, let sent):
            guard let payload = sent.message, let key = Wording.key(payload), !world.isCalm else { return }
            expected = (expected.isEmpty ? key : expected.lowerBound)..<max(expected.upperBound, key + 1)
        case .nothingUnderway:
            lostMessages = client.outgoing.values.count { !$0.hasArrived && client.driver.outcome(of: $0.id) != .cancelled }
        case .event(let event): if case .rotation(.finished, _, _) = event.kind { rotations += 1 }
        default: break
        }
    }
}
