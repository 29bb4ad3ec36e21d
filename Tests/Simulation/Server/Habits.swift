import Heartbeat

/// How a host treats an attempt to connect.
enum Door: Hashable {
    /// The handshake is answered as it should be.
    case open
    /// The connection is refused.
    case unreachable
    /// Nothing ever answers.
    case silent
    case unresolved
    case badCertificate
    /// TCP connects, and then there is nothing.
    case mute
    /// An HTTP answer that is no 101.
    case answer(status: UInt16, retryAfter: Int?)
    /// The answer proves another key.
    case wrongProof
    /// The line breaks within the answer.
    case cutAnswer
    /// The answer comes, byte by byte.
    case trickle

    /// For the table of what was covered.
    var name: String {
        switch self {
        case .answer(let status, let retryAfter): "door: HTTP \(status)" + (retryAfter == nil ? "" : " with Retry-After")
        default: "door: \(self)"
        }
    }
}

/// How a server behaves on one connection.
struct Habits {
    enum Answers: Int, CaseIterable {
        case prompt
        case late
        case never
        /// With other bytes than asked.
        case wrong
        /// With what was asked on an earlier connection.
        case stale
        case doubled
    }

    var pongs = Answers.prompt
    var acks = Answers.prompt
    var logins = Answers.prompt
    var lateBy = Interval.zero
    var dataSizeMax = 100
    var pingsEvery: Interval?
    var requestsEvery: Interval?
    var advisesAfter: Interval?
    var closesAfter: (delay: Interval, code: UInt16)?
    var resetsAfter: Interval?
    var garbageAfter: Interval?
    var pingFloodAfter: Interval?
    /// Reads nothing for so long, again and again.
    var readingPauses: Interval?
    var answersClose = true
    /// Ends the transport when the close handshake is done.
    var endsTransport = true

    /// What an honest server does.
    static func honest(_ dice: Dice, pace: Interval) -> Habits {
        var habits = Habits()
        if dice.oneIn(10) { habits.dataSizeMax = 20_000 }
        if dice.percent(40) { habits.pingsEvery = max(pace, dice.magnitude(.seconds(1), .seconds(60))) }
        if dice.oneIn(8) { habits.advisesAfter = max(pace, dice.magnitude(.milliseconds(100), .minutes(10))) }
        habits.requestsEvery = dice.time(.seconds(3), .seconds(9))
        habits.endsTransport = !dice.oneIn(10)
        return habits
    }

    /// What a server does that is `hostility` percent bad.
    static func drawn(_ dice: Dice, pace: Interval, hostility: Int) -> Habits {
        var habits = honest(dice, pace: pace)
        func isBad(_ share: Int = 100) -> Bool { dice.below(10_000) < hostility * share }
        if isBad() { habits.pongs = dice.pick(Answers.allCases) }
        if isBad() { habits.acks = dice.pick([.late, .never, .wrong, .doubled]) }
        if isBad() { habits.logins = dice.pick([.late, .never, .wrong]) }
        habits.lateBy = dice.magnitude(.milliseconds(10), .seconds(60))
        let soon = { dice.magnitude(.milliseconds(1), .minutes(5)) }
        if isBad() { habits.closesAfter = (soon(), dice.pick(closeCodes)) }
        if isBad() { habits.resetsAfter = soon() }
        if isBad(30) { habits.garbageAfter = soon() }
        if isBad(30) { habits.pingFloodAfter = soon() }
        if isBad(50) { habits.readingPauses = dice.magnitude(.milliseconds(100), .minutes(1)) }
        if isBad(30) { habits.requestsEvery = nil }
        habits.answersClose = !isBad()
        return habits
    }

    private static let closeCodes: [UInt16] = [1000, 1000, 1001, 1001, 1005, 1011, 1012, 1013, 1008, 1002, 3000, 4001]
}
