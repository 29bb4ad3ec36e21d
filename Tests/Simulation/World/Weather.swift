import Heartbeat

/// Faults of the network and of whole machines, at random times, until the calm.
final class Weather {
    private unowned(unsafe) let world: World
    private let dice: Dice

    init(_ world: World, _ dice: Dice) {
        self.world = world
        self.dice = dice
    }

    func begin() {
        guard let mean = world.plan.faultsEvery else { return }
        world.timeline.after(dice.waiting(mean)) { [self] in
            guard !world.isCalm else { return }
            strike()
            begin()
        }
    }

    private var lines: [Line] { world.network.lines.filter { !$0.isBroken } }
    private var length: Interval { dice.magnitude(.milliseconds(10), .minutes(2)) }

    private func strike() {
        switch dice.below(15) {
        case 0: count("reset of all lines") { for line in lines { line.breakDown() } }
        case 1...2: onLine("reset") { $0.breakDown() }
        case 3: onLine("reset at a byte") { ($0.numberOfHalf(dice.below(2))).cut(afterBytes: dice.below(3000)) }
        case 4...5: onLine("stall") { $0.hold(until: world.timeline.now + length) }
        case 6: onLine("stall of one direction") { $0.numberOfHalf(dice.below(2)).hold(until: world.timeline.now + length) }
        case 7...8: onLine("blackhole") { $0.hold(until: .never) }
        case 9: outage()
        case 10: closeDoor()
        case 11: count("frozen process") { world.machine.freeze(length) }
        case 12: count("suspended machine") { world.suspend(dice.magnitude(.milliseconds(10), .minutes(600))) }
        case 13: count("another network") { world.probe() }
        default: onLine("slow line") { $0.slowDown(to: dice.pick([100, 1000, 10_000])) }
        }
    }

    private func count(_ fault: String, _ act: () -> Void) {
        world.coverage.count("fault: \(fault)")
        world.note { "fault: \(fault)" }
        act()
    }

    private func onLine(_ fault: String, _ act: (Line) -> Void) {
        guard !lines.isEmpty else { return }
        count(fault) { act(dice.pick(lines)) }
    }

    /// A server is down for a while, its connections reset or silent.
    private func outage() {
        let host = dice.pick(world.network.hosts)
        let isSilent = dice.oneIn(2)
        count(isSilent ? "server gone silent" : "server killed") { host.crash(isSilent: isSilent) }
        world.timeline.after(length) { [self] in
            if !world.isCalm { count("server back") { host.isDown = false } }
        }
    }

    private func closeDoor() {
        let host = dice.pick(world.network.hosts)
        let doors: [Door] = [.unreachable, .silent, .mute, .answer(status: 503, retryAfter: 3), .trickle, .cutAnswer]
        host.doorForNow = dice.pick(doors)
        count("door kept \(host.doorForNow?.name ?? "")") {}
        world.timeline.after(length) { [self] in
            if !world.isCalm { host.doorForNow = nil }
        }
    }
}

extension Line {
    func numberOfHalf(_ number: Int) -> Half { number == 0 ? toServer : toClient }

    func slowDown(to bytesPerSecond: Int) {
        toServer.quality.bytesPerSecond = bytesPerSecond
        toClient.quality.bytesPerSecond = bytesPerSecond
    }
}
