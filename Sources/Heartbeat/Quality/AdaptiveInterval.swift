extension Interval {
    /// How often to beat on a way of this quality: a bad one is looked at more often, but not more than once a second unless asked for,
    /// and never more than twice as often as asked for.
    package func adapted(to quality: Quality) -> Interval {
        let shortest = min(self, .seconds(1))
        return switch quality {
        case .unknown, .good, .excellent: self
        case .fair: max(shortest, Interval(nanoseconds: nanoseconds - nanoseconds / 4))
        case .poor: max(shortest, Interval(nanoseconds: nanoseconds / 2))
        }
    }
}
