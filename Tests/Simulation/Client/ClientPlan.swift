import Heartbeat
import Session
import WebSocket

/// The settings of one client, drawn by the dice. Checkers go by these numbers, not by what the session makes of them.
struct ClientPlan {
    let number: Int
    let session: SessionConfiguration
    let outbox: Outbox.Limits
    let readSize: Int

    // What the application does.
    let sendsEvery: Interval?
    let messageSizeMax: Int
    /// When it asks for the end, from its beginning; nil: never.
    let closesAfter: Interval?
    let releasesAfter: Interval?
    /// Messages that may wait in its inbox.
    let inboxMax: Int
    let closesWhenFull: Bool
    /// How long it takes a break from taking messages, again and again; nil: it never does.
    let takesBreaks: Interval?

    // The heartbeats.
    let beatEvery: Interval?
    let beatWithin: Interval
    let silence: Interval?
    let answersRequests: Bool

    init(_ number: Int, _ dice: Dice, _ world: WorldPlan) {
        self.number = number
        let host = dice.pick(world.hosts)
        let text = ASCII.bytes("ws://") + host.name + [UInt8](":\(host.port)/client/\(number)".utf8)
        guard let url = try? URL(parsing: text) else { fatalError("the simulation's own URL does not parse") }
        session = SessionConfiguration(url: url)
        let bytesMax = dice.pick([500, 5000, 100_000])
        outbox = Outbox.Limits(
            messagesMax: dice.pick([3, 20, 1000]), bytesMax: bytesMax, fragmentSize: dice.pick([125, 1000, 65536]),
            hasBeats: dice.oneIn(2))
        readSize = dice.pick([500, 16384, 262_144])
        sendsEvery = dice.oneIn(6) ? nil : max(world.pace, dice.magnitude(.milliseconds(20), .seconds(60)))
        messageSizeMax = dice.oneIn(4) ? bytesMax + 10 : dice.pick([30, 300])
        closesAfter = dice.oneIn(3) ? dice.time(.zero, world.trouble) : nil
        releasesAfter = dice.oneIn(8) ? dice.time(.zero, world.trouble + .minutes(1)) : nil
        inboxMax = dice.pick([5, 50, 10_000])
        closesWhenFull = dice.oneIn(6)
        takesBreaks = dice.oneIn(3) ? dice.magnitude(.milliseconds(50), .minutes(2)) : nil
        beatEvery = dice.oneIn(2) ? max(world.pace, dice.time(.seconds(1), .seconds(20))).inWholeMilliseconds : nil
        beatWithin = dice.time(.milliseconds(500), .seconds(10)).inWholeMilliseconds
        silence = dice.oneIn(3) ? dice.time(.seconds(10), .seconds(30)).inWholeMilliseconds : nil
        answersRequests = dice.oneIn(2)
        configure(dice, world.pace)
    }

    private func configure(_ dice: Dice, _ pace: Interval) {
        session.connectTimeout = dice.magnitude(.milliseconds(500), .seconds(15))
        session.closeTimeout = dice.magnitude(.milliseconds(100), .seconds(5))
        session.reconnects = !dice.oneIn(12)
        let base = dice.magnitude(.milliseconds(1), .seconds(2))
        session.backoff = Backoff.Configuration(
            base: base, cap: dice.magnitude(base, .seconds(60)), attemptsMax: dice.oneIn(8) ? dice.between(1, 10) : 0)
        session.stableAfter = dice.pick([.zero, .seconds(1), .seconds(10)])
        session.pongsPerSecondMax = dice.pick([5, 100])
        let heartbeat = session.heartbeat
        if !dice.oneIn(6) {
            heartbeat.ping = PingSchedule.Configuration(
                interval: max(pace, dice.magnitude(.milliseconds(500), .seconds(30))), timeout: dice.magnitude(.milliseconds(300), .seconds(20)),
                missedMax: dice.between(1, 3))
        }
        heartbeat.rules = Wording.rules(
            beat: beatEvery.map { $0.milliseconds } ?? 0, within: beatWithin.milliseconds,
            silence: silence.map { $0.milliseconds } ?? 0, answers: answersRequests)
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
