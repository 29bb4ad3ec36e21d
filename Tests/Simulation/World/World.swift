import Heartbeat
import Session
import WebSocket

/// A promise that was broken.
struct Violation {
    let checker: String
    let text: String
    let time: Instant
}

/// One run: clients on a machine, hosts, the network between them, and the checkers that watch.
///
/// First comes trouble, then calm: faults end and servers are honest, so that what is promised for then can be demanded.
final class World {
    let seed: UInt64
    let plan: WorldPlan
    let timeline: Timeline
    let machine: Machine
    private(set) var network: Network!
    /// What all clients of the process share about hosts.
    let gates = HostGateTable()
    private var ledgers: [[UInt8]: HostLedger] = [:]
    private(set) var clients: [Client] = []
    let coverage: Coverage
    private(set) var isCalm = false
    private(set) var violation: Violation?
    /// What happened, for people to read; empty unless asked for.
    private(set) var trace: [String] = []
    let isTraced: Bool
    /// What a measurement makes of the plans that the dice have drawn.
    struct Change {
        let world: (inout WorldPlan) -> Void
        let client: (inout ClientPlan) -> Void
    }

    private let change: Change?
    private var peerCount = 0
    private let dice: Dice

    /// `change` makes of the drawn plans what is wanted.
    init(seed: UInt64, coverage: Coverage, isTraced: Bool = false, change: Change? = nil) {
        self.seed = seed
        self.coverage = coverage
        self.isTraced = isTraced
        dice = Dice(seed: seed)
        var plan = WorldPlan(dice.fork())
        change?.world(&plan)
        self.plan = plan
        self.change = change
        timeline = Timeline(dice.fork())
        machine = Machine(timeline, dice.fork(), lateness: plan.lateness)
        let hosts = plan.hosts.map { Host(self, dice.fork(), name: $0.name, port: $0.port, hostility: plan.hostility) }
        network = Network(timeline, dice.fork(), hosts, plan.qualities, connectDelayMax: plan.connectDelayMax)
    }

    /// Runs to the end, or to the first broken promise.
    func run() {
        for number in 0..<plan.clientCount {
            var plan = ClientPlan(number, dice.fork(), self.plan)
            change?.client(&plan)
            let client = Client(number, self, plan, dice.fork())
            clients.append(client)
            timeline.after(dice.time(.zero, self.plan.openingTime)) { client.begin() }
            feed(client, dice.fork(), key: 1)
        }
        if let outage = plan.outage { weather(outage) }
        Weather(self, dice.fork()).begin()
        audit()
        advance(until: .start + plan.trouble, steps: plan.troubleStepsMax)
        calm()
        advance(until: timeline.now + plan.calm)
        for client in clients where violation == nil { client.see(.ended) }
        for line in network.lines { line.breakDown() }
        for client in clients where violation == nil { client.see(.nothingUnderway) }
        for client in clients { client.end() }
    }

    private func weather(_ outage: (at: Interval, length: Interval)) {
        timeline.after(outage.at) { [self] in for host in network.hosts { host.crash(isSilent: false) } }
        timeline.after(outage.at + outage.length) { [self] in for host in network.hosts { host.isDown = false } }
    }

    private func advance(until end: Instant, steps: Int = .max) {
        let stepsBefore = timeline.steps
        while violation == nil && timeline.steps - stepsBefore < steps && timeline.step(until: end) {
            if machine.isSpinning { fail("Progress", "the loop turns without time going on") }
        }
    }

    private func calm() {
        isCalm = true
        machine.wakeUp()
        note { "calm" }
        for host in network.hosts { host.reform() }
        network.reform()
        for client in clients { client.calm() }
    }

    /// Every host has the same news for a client, whatever connections it has.
    private func feed(_ client: Client, _ dice: Dice, key: Int) {
        timeline.after(dice.waiting(client.plan.feedEvery)) { [self] in
            let next = key + client.plan.burst
            for key in key..<next { for host in network.hosts { host.feed(client, key: key) } }
            feed(client, dice, key: next)
        }
    }

    /// The machine sleeps; when it wakes up, every connection is probed.
    func suspend(_ length: Interval) {
        machine.suspend(length) { [self] in probe() }
    }

    /// A suspension is over, or the network is another.
    func probe() {
        for client in clients where client.driver != nil { client.driver.probe() }
    }

    private func audit() {
        timeline.after(plan.auditEvery) { [self] in
            if !machine.standsStill { for client in clients where violation == nil { client.see(.audit) } }
            audit()
        }
    }

    // MARK: For the parts

    func nextPeerNumber() -> Int {
        peerCount += 1
        return peerCount
    }

    /// The client that asks for this resource.
    func client(of resource: [UInt8]) -> Client? {
        guard let number = Wording.numbers(resource).first, number < clients.count else { return nil }
        return clients[number]
    }

    func ledger(of host: WorldPlan.HostName) -> HostLedger {
        let ledger = ledgers[host.name] ?? HostLedger()
        ledgers[host.name] = ledger
        return ledger
    }

    func see(_ fact: Fact, _ client: Client) {
        client.see(fact)
    }

    func fail(_ checker: String, _ text: String) {
        guard violation == nil else { return }
        violation = Violation(checker: checker, text: text, time: timeline.now)
        note { "BROKEN \(checker): \(text)" }
    }

    func note(_ text: () -> String) {
        if isTraced { trace.append("\(timeline.now.text)  \(text())") }
    }
}
