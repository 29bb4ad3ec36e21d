import Heartbeat

/// How many pings are answered one by one. A flood of them beyond that is answered with the latest only (RFC 6455 section 5.5.3), so it cannot
/// make us write as much as the peer does.
struct PongBudget {
    private let perSecondMax: Int
    private var secondBegan: Instant
    private var spent = 0

    /// No connection, no answers.
    init() {
        self.init(perSecondMax: 0, Instant(nanoseconds: 0))
    }

    init(perSecondMax: Int, _ now: Instant) {
        self.perSecondMax = perSecondMax
        secondBegan = now
    }

    /// True if one more ping may be answered on its own.
    mutating func spend(_ now: Instant) -> Bool {
        if now >= secondBegan + .seconds(1) {
            secondBegan = now
            spent = 0
        }
        guard spent < perSecondMax else { return false }
        spent &+= 1
        return true
    }
}
