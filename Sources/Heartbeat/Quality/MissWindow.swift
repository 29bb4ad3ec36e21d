/// Which of the last sixteen beats of a connection were missed: of those pings and payload beats that were acknowledged in time or not at
/// all by then. One that is acknowledged later stays missed, and one that needs no acknowledgement is none of them.
package struct MissWindow {
    private static let capacity = UInt16.bitWidth

    /// The latest in the lowest bit.
    private var missed: UInt16 = 0
    private var count = 0

    package init() {}

    package mutating func record(isMissed: Bool) {
        missed = missed << 1 | (isMissed ? 1 : 0)
        count = min(count + 1, Self.capacity)
    }

    /// More than so many in a hundred were missed.
    package func exceed(percent: Int) -> Bool { missed.nonzeroBitCount * 100 > count * percent }
}
