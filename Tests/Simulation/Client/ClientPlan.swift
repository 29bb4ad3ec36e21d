import Heartbeat
import Session
import WebSocket

/// The settings of one client, drawn by the dice. Checkers go by these numbers, not by what the session makes of them.
struct ClientPlan {
    enum Script {
        case none
        /// A login that waits for no answer.
        case sends
        /// A greeting is awaited, answered, and the answer's answer awaited.
        case dialogue
    }

    let number: Int
    let host: WorldPlan.HostName
    let session: SessionConfiguration
    var outbox: Outbox.Limits
    var readSize: Int

    // What the application does.
    var sendsEvery: Interval?
    var messageSizeMax: Int
    var sendsParts: Bool
    /// How many of a hundred messages are to be sent now or not at all.
    var nowShare: Int
    var timeToLive: Interval?
    var keysAtOnce: Int
    var keepsEvery: Interval?
    var rotatesEvery: Interval?
    /// When it asks for the end, from its beginning; nil: never.
    var closesAfter: Interval?
    /// Whether it loses patience soon after it has closed.
    let cutsOff: Bool
    var releasesAfter: Interval?
    /// Messages that may wait in its inbox.
    var inboxMax: Int
    let closesWhenFull: Bool
    /// How long it takes a break from taking messages, again and again; nil: it never does.
    var takesBreaks: Interval?

    // What it knows of the server.
    var feedEvery: Interval
    /// How many items come together.
    var burst = 1
    /// Whether it is counted what comes.
    var isTallied = false
    var script: Script
    var dropsDuplicates: Bool

    // The heartbeats.
    var hasRules: Bool
    var beatEvery: Interval?
    let beatWithin: Interval
    var silence: Interval?
    let answersRequests: Bool

    init(_ number: Int, _ dice: Dice, _ world: WorldPlan) {
        self.number = number
        host = dice.pick(world.hosts)
        let text = ASCII.bytes("ws://") + host.name + [UInt8](":\(host.port)/client/\(number)".utf8)
        guard let url = try? URL(parsing: text) else { fatalError("the simulation's own URL does not parse") }
        session = SessionConfiguration(url: url)
        hasRules = !dice.oneIn(4)
        let bytesMax = dice.pick([500, 5000, 100_000])
        outbox = Outbox.Limits(
            messagesMax: dice.pick([3, 20, 1000]), bytesMax: bytesMax, fragmentSize: dice.pick([125, 1000, 65536]),
            hasBeats: hasRules, overflow: dice.oneIn(3) ? .dropOldest : .reject)
        readSize = dice.pick([500, 16384, 262_144])
        sendsEvery = dice.oneIn(6) ? nil : max(world.pace, dice.magnitude(.milliseconds(20), .seconds(60)))
        messageSizeMax = dice.oneIn(4) ? bytesMax + 10 : dice.pick([30, 300])
        sendsParts = dice.oneIn(3)
        nowShare = dice.pick([0, 0, 20, 60])
        timeToLive = dice.oneIn(2) ? dice.magnitude(.milliseconds(1), .minutes(2)) : nil
        keysAtOnce = dice.oneIn(2) ? dice.below(4) : 0
        keepsEvery = dice.oneIn(2) ? max(world.pace, dice.magnitude(.milliseconds(100), .minutes(2))) : nil
        rotatesEvery = dice.oneIn(3) ? max(world.pace, dice.magnitude(.milliseconds(500), .minutes(5))) : nil
        closesAfter = dice.oneIn(3) ? dice.time(.zero, world.trouble) : nil
        cutsOff = dice.oneIn(3)
        releasesAfter = dice.oneIn(8) ? dice.time(.zero, world.trouble + .minutes(1)) : nil
        inboxMax = dice.pick([5, 50, 10_000])
        closesWhenFull = dice.oneIn(6)
        takesBreaks = dice.oneIn(3) ? dice.magnitude(.milliseconds(50), .minutes(2)) : nil
        feedEvery = max(world.pace, dice.magnitude(.milliseconds(200), .minutes(2)))
        script = dice.pick([.none, .none, .sends, .dialogue])
        dropsDuplicates = dice.oneIn(2)
        beatEvery = hasRules && dice.oneIn(2) ? max(world.pace, dice.time(.seconds(1), .seconds(20))).inWholeMilliseconds : nil
        beatWithin = dice.time(.milliseconds(500), .seconds(10)).inWholeMilliseconds
        silence = hasRules && !world.isStorm && dice.oneIn(3) ? dice.time(.seconds(10), .seconds(30)).inWholeMilliseconds : nil
        answersRequests = hasRules && dice.oneIn(2)
        configureLife(dice, world)
        configureHeartbeats(dice, world)
        if world.isStorm { quieten(dice) }
    }

    /// One of very many: it waits, and now and then says something.
    private mutating func quieten(_ dice: Dice) {
        sendsEvery = dice.time(.minutes(1), .minutes(5))
        (sendsParts, takesBreaks, releasesAfter) = (false, nil, nil)
        keysAtOnce = min(keysAtOnce, 1)
        feedEvery = .minutes(2)
        (rotatesEvery, session.rotateAfter) = (nil, nil)
        session.reconnects = true
        session.backoff = Backoff.Configuration(base: .milliseconds(500), cap: .seconds(30))
        session.connectTimeout = .seconds(15)
    }

    private func configureLife(_ dice: Dice, _ world: WorldPlan) {
        session.connectTimeout = dice.magnitude(.milliseconds(500), .seconds(15))
        session.closeTimeout = dice.magnitude(.milliseconds(100), .seconds(5))
        session.reconnects = !dice.oneIn(12)
        let base = dice.magnitude(.milliseconds(1), .seconds(2))
        session.backoff = Backoff.Configuration(
            base: base, cap: dice.magnitude(base, .seconds(60)), factorPercent: dice.pick([100, 150, 200, 1000]),
            jitter: dice.pick(Backoff.Jitter.allCases), attemptsMax: dice.oneIn(8) ? dice.between(1, 10) : 0)
        session.stableAfter = dice.pick([.zero, .seconds(1), .seconds(10)])
        session.retry.retryAfterMax = dice.pick([.zero, .seconds(5), .seconds(60)])
        session.gate = world.gate
        session.asksBeforeConnect = dice.oneIn(4)
        session.beforeConnectTimeout = dice.magnitude(.milliseconds(100), .seconds(10))
        session.scriptTimeout = dice.magnitude(.milliseconds(500), .seconds(10))
        session.opening = Wording.script(script)
        if dice.oneIn(4) { session.rotateAfter = max(world.pace * 10, dice.magnitude(.seconds(1), .minutes(20))) }
        session.rotateLinger = dice.pick([.zero, .milliseconds(200), .seconds(1), .seconds(20)])
        session.rotateOnNotice = dice.pick([.off, .rule, .all])
        if dropsDuplicates { session.duplicateKey = Wording.duplicateKey }
        session.pongsPerSecondMax = dice.pick([5, 100])
    }

    private func configureHeartbeats(_ dice: Dice, _ world: WorldPlan) {
        let heartbeat = session.heartbeat
        if !dice.oneIn(6) {
            let least = max(world.pace, .milliseconds(500))
            heartbeat.ping = PingSchedule.Configuration(
                interval: max(least, dice.magnitude(.milliseconds(500), .seconds(30))),
                timeout: dice.magnitude(.milliseconds(300), .seconds(20)), missedMax: dice.between(1, 3))
            heartbeat.probeTimeout = heartbeat.ping?.timeout ?? .seconds(20)
            if let good = heartbeat.ping?.interval, dice.oneIn(3) {
                let fair = dice.time(least, good)
                heartbeat.adaptive = AdaptiveInterval(good: good, fair: fair, poor: dice.time(least, fair))
            }
        }
        if hasRules {
            heartbeat.rules = Wording.rules(
                beat: beatEvery?.milliseconds ?? 0, within: beatWithin.milliseconds, silence: silence?.milliseconds ?? 0,
                answers: answersRequests)
        }
        heartbeat.liveness = dice.oneIn(4) ? .pong : .anyReceived
        heartbeat.silencePolicy = dice.pick([.probe, .probe, .close, .report])
        heartbeat.failureThreshold = dice.oneIn(10) ? nil : dice.pick([1, 3, 5])
        heartbeat.reconnectsAfterFailure = !dice.oneIn(10)
    }
}

extension Interval {
    var inWholeMilliseconds: Interval { .milliseconds(Int64(milliseconds)) }
    var milliseconds: Int { Int(nanoseconds / 1_000_000) }
}
