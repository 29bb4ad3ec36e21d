import Heartbeat

/// Happy Eyeballs (RFC 8305 sections 4 and 5): which of a host's addresses is tried when, so that a dead one costs a moment and not the
/// attempt. Decides and never acts; addresses go by their number in the resolver's answer.
struct HappyEyeballs {
    /// The addresses in the order in which they are tried.
    let order: [Int]
    /// When the next address is tried, if nothing happens before; nil once all have been.
    private(set) var nextStart: Instant?
    private var started = 0
    private let delay: Interval

    /// The Connection Attempt Delay that RFC 8305 section 8 recommends, and the least that it allows.
    static let delayMax = Interval.milliseconds(250)
    static let delayMin = Interval.milliseconds(10)
    /// Addresses beyond these are not tried in this attempt: nobody's host has so many, and each may cost a socket.
    static let addressesMax = 32

    /// `families` are those of the addresses in the resolver's order; `preferred` is the address to try first. The delay shrinks if by
    /// the deadline not every address would have its turn.
    init(families: [Int32], preferred: Int?, _ now: Instant, deadline: Instant) {
        order = Self.order(families, preferred)
        let share = Interval(nanoseconds: (deadline - now).nanoseconds / Int64(order.count + 1))
        delay = max(Self.delayMin, min(Self.delayMax, share))
        nextStart = order.isEmpty ? nil : now
    }

    /// The address whose turn has come.
    mutating func start(_ now: Instant) -> Int? {
        guard let nextStart, now >= nextStart else { return nil }
        let address = order[started]
        started += 1
        self.nextStart = started < order.count ? now + delay : nil
        return address
    }

    /// An address has failed: the next one need not wait.
    mutating func failed(_ now: Instant) {
        if nextStart != nil { nextStart = now }
    }

    /// The preferred address, then the families in turn, beginning with the resolver's first choice, each in the resolver's order.
    private static func order(_ families: [Int32], _ preferred: Int?) -> [Int] {
        var numbers = Array(families.indices)
        if let preferred, numbers.indices.contains(preferred) {
            numbers.remove(at: preferred)
            numbers.insert(preferred, at: 0)
        }
        guard let first = numbers.first else { return [] }
        let same = numbers.filter { families[$0] == families[first] }
        let others = numbers.filter { families[$0] != families[first] }
        var order: [Int] = []
        for index in 0..<max(same.count, others.count) {
            if index < same.count { order.append(same[index]) }
            if index < others.count { order.append(others[index]) }
        }
        return Array(order.prefix(addressesMax))
    }
}
