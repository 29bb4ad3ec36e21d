import Heartbeat

/// A server machine: it takes connections or not, and knows those that it has.
final class Host {
    let name: [UInt8]
    let port: UInt16
    private unowned(unsafe) let world: World
    private let dice: Dice
    private(set) var peers: [Peer] = []
    /// When each attempt came.
    private(set) var attempts: [Instant] = []

    /// How bad it is, in percent.
    var hostility: Int
    /// What becomes of all attempts for the time being.
    var doorForNow: Door?
    var isDown = false

    init(_ world: World, _ dice: Dice, name: [UInt8], port: UInt16, hostility: Int) {
        self.world = world
        self.dice = dice
        self.name = name
        self.port = port
        self.hostility = hostility
    }

    func door() -> Door {
        if isDown { return .unreachable }
        if let doorForNow { return doorForNow }
        guard dice.percent(hostility) else { return .open }
        switch dice.below(100) {
        case 0..<15: return .unreachable
        case 15..<22: return .silent
        case 22..<26: return .unresolved
        case 26..<34: return .mute
        case 34..<40: return .trickle
        case 40..<48: return .cutAnswer
        case 48..<50: return dice.oneIn(4) ? .badCertificate : .unreachable
        case 50..<51: return dice.oneIn(4) ? .wrongProof : .mute
        case 51..<53: return .answer(status: dice.pick([401, 403, 404, 400, 302, 200]), retryAfter: nil)
        default: return .answer(status: dice.pick([429, 503, 503, 500, 502, 408]), retryAfter: dice.oneIn(2) ? nil : dice.below(40))
        }
    }

    func attempted(_ door: Door) {
        attempts.append(world.timeline.now)
        world.coverage.count(door.name)
    }

    func accept(_ line: Line, _ door: Door) {
        let pace = world.plan.pace
        var habits = hostility == 0 ? Habits.honest(dice, pace: pace) : Habits.drawn(dice, pace: pace, hostility: hostility)
        if world.plan.isStorm { habits.requestsEvery = nil }
        let peer = Peer(world, self, line, door, habits, dice.fork())
        peers.removeAll { $0.isConcluded }
        peers.append(peer)
        peer.begin()
    }

    /// Sends an item of the client's feed on each of its connections.
    func feed(_ client: Client, key: Int) {
        for peer in peers where peer.client === client { peer.sendData(key: key) }
    }

    /// All is well from now on.
    func reform() {
        hostility = 0
        doorForNow = nil
        isDown = false
        for peer in peers { peer.reform() }
    }

    /// The process dies: everything is reset, or, with the machine, falls silent.
    func crash(isSilent: Bool) {
        isDown = true
        for peer in peers where !peer.isConcluded { peer.crash(isSilent: isSilent) }
    }
}
