import Heartbeat

/// The client's process: its clocks, and the loop of its I/O thread, which takes what is ready in the library's order: sockets, commands,
/// timers, then what wants to be read again.
final class Machine {
    private let timeline: Timeline
    private let dice: Dice
    /// How long a turn may take to come.
    let lateness: Interval

    /// The monotonic clock as the turn read it.
    private(set) var now: Instant
    private(set) var turns = 0
    private var slept = Interval.zero
    private var clockAsleep = Instant(nanoseconds: 0)
    private var isAsleep = false
    private var wentOn = Instant(nanoseconds: 0)
    private var stillUntil = Instant(nanoseconds: 0)
    /// Timers whose time would have come without the sleep.
    private var timersAsleep: [(time: Instant, action: () -> Void)] = []
    /// What other threads do when they can.
    private var threads: [() -> Void] = []
    /// For how long in all the process stood still while its clock ran.
    private(set) var frozen = Interval.zero
    /// The same, and for how long the machine slept.
    var standstill: Interval { frozen + slept }

    private var ready: [() -> Void] = []
    private var commands: [() -> Void] = []
    private var timersDue: [() -> Void] = []
    private var again: [() -> Void] = []
    private var isTurnComing = false
    private var turnsAtOnce = 0
    /// The loop turns and turns without time going on.
    private(set) var isSpinning = false

    init(_ timeline: Timeline, _ dice: Dice, lateness: Interval) {
        self.timeline = timeline
        self.dice = dice
        self.lateness = lateness
        now = timeline.now
    }

    /// The monotonic clock: it stands still while the machine sleeps.
    var clock: Instant { max(clockAsleep, Instant(nanoseconds: timeline.now.nanoseconds - slept.nanoseconds)) }

    /// The world's time when the monotonic clock shows, or showed last, this time; good for the present only.
    func worldTime(of time: Instant) -> Instant { time + slept }

    /// Another thread of the process reads the clock a little after the turn has.
    var clockOfSender: Instant { clock + dice.time(.zero, .microseconds(50)) }

    // MARK: What a turn is to do

    func socketReady(_ action: @escaping () -> Void) {
        ready.append(action)
        wake()
    }

    /// In the order of the calls.
    func post(_ command: @escaping () -> Void) {
        commands.append(command)
        wake()
    }

    func timerDue(_ action: @escaping () -> Void) {
        timersDue.append(action)
        wake()
    }

    func readAgain(_ action: @escaping () -> Void) {
        again.append(action)
        wake()
    }

    /// Calls `action` at a time of the monotonic clock.
    func at(_ time: Instant, _ action: @escaping () -> Void) {
        timeline.at(time + slept) { [self] in
            guard !isAsleep else { return timersAsleep.append((time, action)) }
            if clock < time { at(time, action) } else { action() }
        }
    }

    // MARK: Standing still

    /// The process gets no processor for so long; its clock runs on.
    func freeze(_ length: Interval) {
        guard stand(still: length) else { return }
        frozen = frozen + length
    }

    /// The machine sleeps: the monotonic clock stands still, the boot clock does not. `then` runs in its first turn afterwards.
    func suspend(_ length: Interval, then: @escaping () -> Void) {
        guard stand(still: length) else { return }
        clockAsleep = clock
        slept = slept + length
        isAsleep = true
        post(then)
    }

    /// True while nothing of the process runs.
    private(set) var standsStill = false

    private func stand(still length: Interval) -> Bool {
        guard !standsStill else { return false }
        standsStill = true
        stillUntil = timeline.now + length
        let end = stillUntil
        timeline.at(end) { [self] in if standsStill && stillUntil == end { goOn() } }
        return true
    }

    /// What stands still goes on at once.
    func wakeUp() {
        guard standsStill else { return }
        let left = stillUntil - timeline.now
        if isAsleep { slept = slept - left } else { frozen = frozen - left }
        goOn()
    }

    /// The world's time when nothing ran for the last time.
    var lastStandstill: Instant { standsStill ? timeline.now : wentOn }

    private func goOn() {
        wentOn = timeline.now
        standsStill = false
        isAsleep = false
        if isTurnComing { turn() }
        let timers = timersAsleep
        timersAsleep = []
        for timer in timers { at(timer.time, timer.action) }
        let actions = threads
        threads = []
        for action in actions { run(action) }
    }

    /// Runs what another thread of the process does, once it can.
    func run(_ action: @escaping () -> Void) {
        if standsStill { threads.append(action) } else { action() }
    }

    // MARK: Turning

    private func wake() {
        guard !isTurnComing else { return }
        isTurnComing = true
        timeline.after(dice.time(.zero, lateness)) { [self] in if isTurnComing && !standsStill { turn() } }
    }

    private func turn() {
        isTurnComing = false
        turns += 1
        turnsAtOnce = clock == now ? turnsAtOnce + 1 : 0
        isSpinning = isSpinning || turnsAtOnce > 10_000
        now = clock
        let reading = again
        again = []
        for action in take(\.ready) { action() }
        for action in take(\.commands) { action() }
        for action in take(\.timersDue) { action() }
        for action in reading { action() }
    }

    private func take(_ list: ReferenceWritableKeyPath<Machine, [() -> Void]>) -> [() -> Void] {
        defer { self[keyPath: list] = [] }
        return self[keyPath: list]
    }
}
