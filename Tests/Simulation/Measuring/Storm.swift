import Heartbeat
import Session

/// A thousand connections whose host is down for five minutes: how many attempts they make in each minute, with and without the circuit and
/// the budget of attempts.
enum Storm {
    private static let outage: (at: Interval, length: Interval) = (.minutes(2), .minutes(5))
    private static let minutes = 10
    private static let budget = 600

    private static let policies: [(name: String, policy: HostGate.Policy)] = [
        ("none", policy(circuit: false, budget: 0)), ("circuit", policy(circuit: true, budget: 0)),
        ("budget", policy(circuit: false, budget: budget)), ("both", policy(circuit: true, budget: budget)),
    ]

    private static func policy(circuit: Bool, budget: Int) -> HostGate.Policy {
        var policy = HostGate.Policy()
        if !circuit { policy.failuresMax = 0 }
        policy.attemptsPerMinuteMax = budget
        return policy
    }

    /// Prints a line for each policy: its name, and the attempts of each minute.
    static func measure(seed: UInt64, _ coverage: Coverage) {
        for (name, policy) in policies {
            let change = World.Change(
                world: { plan in
                    plan.becomeStorm(Dice(seed: seed))
                    plan.hostility = 0
                    plan.gate = policy
                    plan.outage = outage
                    plan.trouble = .minutes(Int64(minutes))
                },
                client: { plan in plan.closesAfter = nil })
            let world = World(seed: seed, coverage: coverage, change: change)
            world.run()
            Measuring.report(world)
            let counts = (0..<minutes).map { minute in world.network.hosts[0].attempts.count { $0.minute == minute } }
            print("storm\t\(name)\t\(counts.map { "\($0)" }.joined(separator: "\t"))")
        }
    }
}

extension Instant {
    /// Since the world's beginning.
    fileprivate var minute: Int { Int((self - .start).nanoseconds / Interval.minutes(1).nanoseconds) }
}
