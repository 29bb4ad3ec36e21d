import Glibc
import Heartbeat

/// Usage: simulation SEED RUNS SECONDS [trace]
///
/// Runs worlds from SEED on, RUNS of them or for SECONDS, whatever is over first (0: no limit), and prints lines for run.py.
@main
enum EntryPoint {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 4, let seed = UInt64(arguments[1]), let runs = Int(arguments[2]), let seconds = Int(arguments[3]) else {
            print("usage: simulation SEED RUNS SECONDS [trace]")
            exit(2)
        }
        let isTraced = arguments.count > 4
        let coverage = Coverage()
        let began = clockSeconds()
        var simulated = 0.0
        var done = 0
        var failed = 0
        while runs == 0 || done < runs, seconds == 0 || clockSeconds() - began < Double(seconds) {
            let world = World(seed: seed + UInt64(done), coverage: coverage, isTraced: isTraced)
            world.run()
            done += 1
            simulated += Double((world.timeline.now - .start).nanoseconds) / 1e9
            for line in world.trace { print(line) }
            if let violation = world.violation {
                failed += 1
                print("violation\t\(world.seed)\t\(violation.checker)\t\(violation.time.text)\t\(violation.text)")
                fflush(stdout)
            }
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
