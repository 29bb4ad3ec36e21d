import Glibc
import Heartbeat

/// Usage: simulation SEED STEP RUNS SECONDS [trace | first | measure]
///
/// Runs worlds with the seeds SEED, SEED + STEP and so on, RUNS of them or for SECONDS, whatever is over first (0: no limit), and prints lines
/// for run.py, which says what they are. With "trace" each world's story is printed, with "first" the first broken promise is the last, with
/// "measure" nothing is run but what is measured in worlds of their own.
@main
enum EntryPoint {
    static func main() {
        let numbers = CommandLine.arguments.dropFirst().prefix(4).compactMap { UInt64($0) }
        guard numbers.count == 4 else {
            print("usage: simulation SEED STEP RUNS SECONDS [trace | first | measure]")
            exit(2)
        }
        let mode = CommandLine.arguments.dropFirst(5).first ?? ""
        if mode == "measure" { return Measuring.run(seed: numbers[0]) }
        run(seed: numbers[0], step: numbers[1], runs: numbers[2], seconds: Double(numbers[3]), mode)
    }

    private static func run(seed: UInt64, step: UInt64, runs: UInt64, seconds: Double, _ mode: String) {
        let coverage = Coverage()
        let began = clockSeconds()
        var simulated = 0.0
        var done: UInt64 = 0
        var failed = 0
        while runs == 0 || done < runs, seconds == 0 || clockSeconds() - began < seconds, mode != "first" || failed == 0 {
            let world = World(seed: seed + done * step, coverage: coverage, isTraced: mode == "trace")
            world.run()
            done += 1
            simulated += Double((world.timeline.now - .start).nanoseconds) / 1e9
            for line in world.trace { print(line) }
            guard let violation = world.violation else { continue }
            failed += 1
            print("violation\t\(world.seed)\t\(violation.checker)\t\(violation.time.text)\t\(violation.text)")
            fflush(stdout)
        }
        print("runs\t\(done)\t\(failed)\t\(simulated)\t\(clockSeconds() - began)")
        for line in coverage.lines { print("covered\t\(line)") }
    }

    private static func clockSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
