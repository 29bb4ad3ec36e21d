import Heartbeat
import Session
import WebSocket

/// What a seed makes of a world: how many clients, how long, how bad.
struct WorldPlan {
    struct HostName {
        let name: [UInt8]
        let port: UInt16
    }

    var clientCount: Int
    var openingTime: Interval
    var hosts: [HostName]
    /// How many of a hundred things go wrong at a server.
    var hostility: Int
    /// The mean time between faults of the network; nil if it has none.
    var faultsEvery: Interval?
    var trouble: Interval
    /// Nothing happens by itself more often than this, so that a long run is no slow run.
    var pace: Interval
    var calm: Interval
    var auditEvery: Interval
    var lateness: Interval
    var qualities: [Half.Quality]
    var connectDelayMax: Interval
    /// All clients of the process have the same limits for hosts.
    var gate: HostGate.Policy
    /// When all hosts go down, and for how long.
    var outage: (at: Interval, length: Interval)?
    /// Its clients are many, and each does little.
    var isStorm = false
    /// A world in which more happens is calm sooner, so that it costs no more than many others.
    var troubleStepsMax = 50_000

    init(_ dice: Dice) {
        clientCount = dice.oneIn(4) ? dice.between(2, 4) : 1
        openingTime = dice.oneIn(2) ? .zero : .seconds(1)
        hosts = (0..<(dice.oneIn(4) ? 2 : 1)).map { HostName(name: ASCII.bytes("host") + [UInt8(0x61 + $0)], port: 80) }
        hostility = dice.pick([0, 5, 15, 30, 60])
        let isLong = dice.oneIn(10)
        trouble = isLong ? dice.time(.minutes(60), .minutes(12 * 60)) : dice.magnitude(.seconds(10), .minutes(20))
        pace = Interval(nanoseconds: trouble.nanoseconds / 1000)
        faultsEvery = dice.oneIn(5) ? nil : isLong ? .minutes(20) : dice.magnitude(.seconds(2), .minutes(2))
        calm = .minutes(4)
        auditEvery = isLong ? .seconds(60) : .seconds(5)
        lateness = dice.pick([.zero, .zero, .microseconds(100), .milliseconds(5)])
        connectDelayMax = dice.pick([.zero, .milliseconds(50), .seconds(1)])
        gate = Self.gate(dice)
        qualities = (0..<3).map { _ in Self.quality(dice) }
        if dice.oneIn(400) { becomeStorm(dice) }
    }

    /// A thousand connections to one host, which goes down under them.
    mutating func becomeStorm(_ dice: Dice) {
        isStorm = true
        clientCount = 1000
        openingTime = .seconds(30)
        hosts = Array(hosts.prefix(1))
        hostility = dice.pick([0, 0, 5])
        faultsEvery = nil
        outage = (dice.time(.minutes(1), .minutes(2)), dice.time(.seconds(30), .minutes(5)))
        trouble = .minutes(8)
        pace = .seconds(60)
        calm = .minutes(6)
        auditEvery = .seconds(30)
        lateness = .zero
        gate.failuresMax = dice.pick([0, 10, 50])
        gate.window = .seconds(60)
        gate.attemptsPerMinuteMax = dice.pick([0, 600, 6000])
        troubleStepsMax = 2_000_000
    }

    private static func gate(_ dice: Dice) -> HostGate.Policy {
        var gate = HostGate.Policy()
        gate.failuresMax = dice.pick([0, 1, 3, 50])
        gate.window = dice.magnitude(.seconds(1), .minutes(5))
        gate.openFor = dice.magnitude(.milliseconds(100), .seconds(30))
        gate.attemptsPerMinuteMax = dice.pick([0, 0, 2, 10, 100])
        return gate
    }

    private static func quality(_ dice: Dice) -> Half.Quality {
        var quality = Half.Quality()
        quality.latency = dice.magnitude(.microseconds(20), .milliseconds(400))
        quality.bytesPerSecond = dice.pick([2_000, 50_000, 1_000_000, 100_000_000])
        quality.sendBuffer = dice.pick([300, 4096, 65536])
        quality.receiveBuffer = dice.pick([1000, 65536, 262_144])
        if dice.oneIn(3) { quality.pieceMax = dice.pick([1, 3, 50, 1000]) }
        return quality
    }
}
