/// What is measured in worlds of their own.
enum Measuring {
    static func run(seed: UInt64) {
        let coverage = Coverage()
        Storm.measure(seed: seed, coverage)
        Rush.measure(seed: seed, coverage)
    }

    /// A measurement of a world that breaks its promises is worth nothing.
    static func report(_ world: World) {
        guard let violation = world.violation else { return }
        print("violation\t\(world.seed)\t\(violation.checker)\t\(violation.time.text)\t\(violation.text)")
    }
}
