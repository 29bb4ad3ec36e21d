/// Questions to the peer that no timer has asked: the machine was suspended, or its network is another, and nobody knows yet whether the
/// connection has outlived that.
extension HeartbeatEngine {
    /// The peer has ping.timeout to answer, but no more than this: whoever has just been cut off should not wait long to hear of it. No
    /// standard gives the number. A network that is coming back loses packets, and TCP repeats a lost question after the path's round
    /// trip and 200 ms (Linux's least), then after twice that and so on (RFC 6298 section 5): on a short path four times within five
    /// seconds.
    private static let answerTimeMax = Interval.seconds(5)

    /// Asks for a sign of life at once, and gives the connection up if none comes in time. While a question waits for its answer another is
    /// not asked, so however often this is called, the verdict comes.
    package mutating func probe(_ now: Instant) {
        guard epoch.isRunning, !epoch.isCondemned else { return }
        if let probed = epoch.probed, lastAnswer <= probed { return }
        guard let question else { return }
        ask(question, now)
        epoch.probed = now
    }

    /// As the first watch would ask that asks at all; nil if nothing may be sent, or no watch asks.
    private var question: WatchRule.Probe? {
        guard let rules else { return .ping }
        if rules.isSendForbidden { return nil }
        if rules.watches.isEmpty { return .ping }
        return rules.watches.first { $0.probe != .none }?.probe
    }

    mutating func ask(_ question: WatchRule.Probe, _ now: Instant) {
        if question == .beat, let beat = rules?.beats.first {
            sendBeat(0, beat, now)
        } else {
            transmit(OutgoingHeartbeat(.probe, .ping, []), now)
        }
    }

    var answerToProbeDeadline: Instant? {
        epoch.probed.map { $0 + min(configuration.probeTimeout, Self.answerTimeMax) }
    }

    mutating func pollProbe(_ now: Instant) {
        guard let probed = epoch.probed, let deadline = answerToProbeDeadline, now >= deadline else { return }
        epoch.probed = nil
        if lastAnswer <= probed { condemn(.probeUnanswered) }
    }

    /// Whoever counts data only is asked too whether the path still holds: any byte says so, and whether data come is the watches' business.
    private var lastAnswer: Instant { configuration.liveness == .pong ? epoch.lastAck : epoch.lastBytes }
}
