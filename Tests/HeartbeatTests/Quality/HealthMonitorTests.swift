import Heartbeat
import Testing

/// A signal expected every second.
struct HealthMonitorTests {
    private func at(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: 5) + .milliseconds(milliseconds) }

    private func monitor(_ policy: HealthMonitor.Policy = .init(), seenAtZero: Bool = true) -> HealthMonitor {
        var monitor = HealthMonitor(every: .seconds(1), policy)
        if seenAtZero { _ = monitor.seen(at(0)) }
        return monitor
    }

    @Test func isUnknownBeforeTheFirstSignal() {
        var monitor = monitor(seenAtZero: false)
        #expect(monitor.health == .unknown)
        #expect(monitor.deadline == nil)
        #expect(monitor.poll(at(1_000_000)) == nil)
        #expect(monitor.seen(at(1_000_000)) == Change(from: .unknown, to: .healthy))
        #expect(monitor.deadline == at(1_001_000))
    }

    @Test func silenceIsAWarningThenAnError() {
        var monitor = monitor()
        #expect(monitor.poll(at(999)) == nil)
        #expect(monitor.deadline == at(1000))
        #expect(monitor.poll(at(1000)) == Change(from: .healthy, to: .warning))
        #expect(monitor.poll(at(1000)) == nil)
        #expect(monitor.deadline == at(2000))
        #expect(monitor.poll(at(1999)) == nil)
        #expect(monitor.poll(at(2000)) == Change(from: .warning, to: .error))
        #expect(monitor.deadline == nil)
        #expect(monitor.poll(at(1_000_000)) == nil)
    }

    @Test func aPollAfterAStallGoesStraightToTheError() {
        var monitor = monitor()
        #expect(monitor.poll(at(2500)) == Change(from: .healthy, to: .error))
    }

    @Test func limitsAreWholeIntervalsAndCanBeChosen() {
        var monitor = monitor(.init(warningIntervals: 3, errorIntervals: 7))
        #expect(monitor.deadline == at(3000))
        #expect(monitor.poll(at(3000)) == Change(from: .healthy, to: .warning))
        #expect(monitor.deadline == at(7000))
        #expect(monitor.poll(at(7000)) == Change(from: .warning, to: .error))
    }

    @Test func signalsInTimeKeepItHealthy() {
        var monitor = monitor()
        for beat in 1...50 as ClosedRange<Int64> {
            #expect(monitor.seen(at(beat * 1000)) == nil)
            #expect(monitor.poll(at(beat * 1000)) == nil)
            #expect(monitor.deadline == at(beat * 1000 + 1000))
        }
    }

    /// Signal and timer at the same instant: the signal goes first, and is in time by a nanosecond.
    @Test func theSignalAtTheDeadlineIsInTimeAndOneAfterItIsNot() {
        var monitor = monitor()
        #expect(monitor.seen(at(1000)) == nil)
        #expect(monitor.seen(Instant(nanoseconds: at(2000).nanoseconds + 1)) == Change(from: .healthy, to: .warning))
    }

    @Test func recoveryTakesTwoSignalsInTime() {
        var monitor = monitor()
        _ = monitor.poll(at(1000))
        // Ends the silence, but late.
        #expect(monitor.seen(at(1500)) == nil)
        #expect(monitor.seen(at(2400)) == nil)
        #expect(monitor.health == .warning)
        #expect(monitor.seen(at(3400)) == Change(from: .warning, to: .healthy))
    }

    @Test func aLateSignalStartsTheRecoveryAnew() {
        var monitor = monitor()
        _ = monitor.poll(at(1000))
        for time in [1500, 2400, 3900, 4800] as [Int64] { #expect(monitor.seen(at(time)) == nil) }
        #expect(monitor.seen(at(5000)) == Change(from: .warning, to: .healthy))
    }

    @Test func theFirstSignalAfterAnErrorLiftsItToAWarning() {
        var monitor = monitor(.init(recoveryBeats: 3))
        _ = monitor.poll(at(2000))
        #expect(monitor.seen(at(2500)) == Change(from: .error, to: .warning))
        #expect(monitor.deadline == at(4500))
        #expect(monitor.seen(at(3500)) == nil)
        #expect(monitor.seen(at(4500)) == nil)
        #expect(monitor.seen(at(5500)) == Change(from: .warning, to: .healthy))
    }

    @Test func silenceDuringARecoveryIsAnErrorAgain() {
        var monitor = monitor()
        _ = monitor.poll(at(2000))
        _ = monitor.seen(at(2500))
        _ = monitor.seen(at(3000))
        #expect(monitor.deadline == at(5000))
        #expect(monitor.poll(at(4999)) == nil)
        #expect(monitor.poll(at(5000)) == Change(from: .warning, to: .error))
        #expect(monitor.seen(at(5100)) == Change(from: .error, to: .warning))
        #expect(monitor.seen(at(5200)) == nil)
        #expect(monitor.seen(at(5300)) == Change(from: .warning, to: .healthy))
    }

    /// Nobody polled in between: what arrived late is judged all the same.
    @Test func aSignalAfterAnUnnoticedSilenceIsAWarning() {
        var monitor = monitor()
        #expect(monitor.seen(at(60_000)) == Change(from: .healthy, to: .warning))
    }

    @Test func nothingIsSilentWhileNobodyReads() {
        var monitor = monitor()
        monitor.readingPaused()
        #expect(monitor.deadline == nil)
        #expect(monitor.poll(at(60_000)) == nil)
        monitor.readingResumed(at(60_000))
        #expect(monitor.deadline == at(61_000))
        #expect(monitor.seen(at(60_900)) == nil)
        // Without a pause before it changes nothing.
        monitor.readingResumed(at(61_500))
        #expect(monitor.deadline == at(61_900))
        #expect(monitor.poll(at(61_900)) == Change(from: .healthy, to: .warning))
    }

    @Test func aPauseBeforeTheFirstSignalLeavesItUnknown() {
        var monitor = monitor(seenAtZero: false)
        monitor.readingPaused()
        monitor.readingResumed(at(1000))
        #expect(monitor.deadline == nil)
        #expect(monitor.poll(at(90_000)) == nil)
    }

    @Test func theIntervalMayChange() {
        var monitor = monitor()
        monitor.interval = .seconds(10)
        #expect(monitor.deadline == at(10_000))
        #expect(monitor.seen(at(9000)) == nil)
        monitor.interval = nil
        #expect(monitor.deadline == nil)
        #expect(monitor.seen(at(900_000)) == nil)
    }

    @Test func missedAcknowledgementsCountLikeIntervals() {
        var monitor = HealthMonitor(every: nil, .init())
        #expect(monitor.acknowledged(isLate: false) == Change(from: .unknown, to: .healthy))
        #expect(monitor.deadline == nil)
        #expect(monitor.acknowledgementMissed() == Change(from: .healthy, to: .warning))
        #expect(monitor.acknowledgementMissed() == Change(from: .warning, to: .error))
        for _ in 0..<100_000 where monitor.acknowledgementMissed() != nil { Issue.record("an error was reported twice") }
        #expect(monitor.acknowledged(isLate: false) == Change(from: .error, to: .warning))
        #expect(monitor.acknowledged(isLate: false) == Change(from: .warning, to: .healthy))
    }

    @Test func onlyMissesInARowCount() {
        var monitor = HealthMonitor(every: nil, .init(warningIntervals: 2, errorIntervals: 3, recoveryBeats: 1))
        _ = monitor.acknowledged(isLate: false)
        #expect(monitor.acknowledgementMissed() == nil)
        #expect(monitor.acknowledged(isLate: false) == nil)
        #expect(monitor.acknowledgementMissed() == nil)
        #expect(monitor.acknowledgementMissed() == Change(from: .healthy, to: .warning))
        #expect(monitor.acknowledged(isLate: false) == Change(from: .warning, to: .healthy))
    }

    @Test func aLateAcknowledgementEndsTheMissesButNotTheWarning() {
        var monitor = HealthMonitor(every: nil, .init())
        _ = monitor.acknowledged(isLate: false)
        _ = monitor.acknowledgementMissed()
        #expect(monitor.acknowledged(isLate: true) == nil)
        #expect(monitor.acknowledgementMissed() == nil)
        #expect(monitor.acknowledged(isLate: false) == nil)
        #expect(monitor.acknowledged(isLate: false) == Change(from: .warning, to: .healthy))
    }

    @Test func aFirstBeatThatIsMissedIsAWarning() {
        var monitor = HealthMonitor(every: nil, .init())
        #expect(monitor.acknowledgementMissed() == Change(from: .unknown, to: .warning))
    }

    @Test func missedAcknowledgementsDoNotSoftenAnErrorBySilence() {
        var monitor = monitor(.init(warningIntervals: 1, errorIntervals: 5))
        _ = monitor.poll(at(5000))
        #expect(monitor.acknowledgementMissed() == nil)
        #expect(monitor.health == .error)
    }

    @Test func sillyPoliciesAreMadeSensible() {
        var monitor = monitor(.init(warningIntervals: 0, errorIntervals: 0, recoveryBeats: 0))
        #expect(monitor.deadline == at(1000))
        #expect(monitor.poll(at(1000)) == Change(from: .healthy, to: .error))
        #expect(monitor.seen(at(1001)) == Change(from: .error, to: .warning))
        #expect(monitor.seen(at(1002)) == Change(from: .warning, to: .healthy))
    }

    @Test func hugeNumbersDoNotOverflow() {
        let policy = HealthMonitor.Policy(warningIntervals: .max, errorIntervals: .max, recoveryBeats: .max)
        var monitor = HealthMonitor(every: Interval(nanoseconds: .max), policy)
        _ = monitor.seen(Instant(nanoseconds: .max))
        #expect(monitor.deadline == Instant(nanoseconds: .max))
        #expect(monitor.poll(Instant(nanoseconds: .max)) == Change(from: .healthy, to: .error))
        #expect(monitor.seen(at(0)) == Change(from: .error, to: .warning))
        for _ in 0..<65_533 where monitor.acknowledged(isLate: false) != nil { Issue.record("healthy too early") }
        #expect(monitor.acknowledged(isLate: false) == Change(from: .warning, to: .healthy))
        for _ in 0..<65_534 where monitor.acknowledgementMissed() != nil { Issue.record("an error too early") }
        #expect(monitor.acknowledgementMissed() == Change(from: .healthy, to: .error))
        #expect(monitor.acknowledgementMissed() == nil)
    }
}
