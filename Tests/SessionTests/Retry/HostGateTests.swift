/// The circuit of a host: when it opens, who probes, and what closes it.
import Heartbeat
import Session
import Testing

struct HostGateTests {
    private final class Harness {
        var gate = HostGate()
        var policy = HostGate.Policy()
        var random = Random(seed: 3)
        var now = Instant(nanoseconds: 1_000_000_000)

        init(failuresMax: Int = 3, window: Interval = .seconds(60), openFor: Interval = .seconds(5)) {
            policy.failuresMax = failuresMax
            policy.window = window
            policy.openFor = openFor
        }

        var circuit: HostGate.Circuit { gate.circuit }

        var openUntil: Instant? { gate.openUntil }

        var isIdle: Bool { gate.isIdle(now) }

        func admit(_ token: UInt64) -> HostGate.Admission { gate.admit(token, policy, now, &random) }

        /// For a connection that wants no circuit.
        func admitFree(_ token: UInt64) -> HostGate.Admission { gate.admit(token, free, now, &random) }

        func endFree(_ token: UInt64, _ health: HostGate.Health) { gate.attemptEnded(token, health, free, now) }

        private var free: HostGate.Policy {
            var free = policy
            free.failuresMax = 0
            return free
        }

        /// Nil if the attempt was let through.
        func held(_ token: UInt64) -> Interval? {
            guard case .wait(let until, let hold) = admit(token) else { return nil }
            #expect(hold == .circuit)
            return until - now
        }

        var hasBudget: Bool {
            var policy = policy
            policy.attemptsPerMinuteMax = 1
            return gate.admit(9, policy, now, &random) == .go
        }

        func end(_ token: UInt64, _ health: HostGate.Health) { gate.attemptEnded(token, health, policy, now) }

        func fail(_ count: Int) {
            for token in 100..<100 + UInt64(count) {
                #expect(admit(token) == .go)
                end(token, .unwell)
            }
        }
    }

    @Test func opensAfterSoManyFailuresInTheWindow() {
        let harness = Harness()
        harness.fail(2)
        harness.now = harness.now + Interval(nanoseconds: 60_000_000_000 - 1)
        harness.fail(1)
        #expect(harness.circuit == .open)
        #expect(harness.openUntil == harness.now + .seconds(5))
    }

    @Test func forgetsFailuresThatAreOlderThanTheWindow() {
        let harness = Harness()
        harness.fail(2)
        harness.now = harness.now + .seconds(60)
        harness.fail(2)
        #expect(harness.circuit == .closed)
        harness.fail(1)
        #expect(harness.circuit == .open)
    }

    @Test(arguments: [HostGate.Health.well, .unknown]) func opensForNothingElse(health: HostGate.Health) {
        let harness = Harness(failuresMax: 1)
        for token in 0..<100 as Range<UInt64> {
            #expect(harness.admit(token) == .go)
            harness.end(token, health)
        }
        #expect(harness.circuit == .closed)
    }

    @Test func holdsEverybodyBackAndSpreadsTheirReturn() {
        let harness = Harness()
        harness.fail(3)
        #expect(harness.held(1) == .seconds(5))
        var returns = Set<Interval>()
        for token in 2...1000 as ClosedRange<UInt64> {
            guard let wait = harness.held(token) else {
                Issue.record("let through")
                return
            }
            #expect(wait >= .seconds(5) && wait <= .seconds(10))
            returns.insert(wait)
        }
        #expect(returns.count > 990)
    }

    @Test func letsOneProbe() {
        let harness = Harness()
        harness.fail(3)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(1) == .go)
        #expect(harness.circuit == .halfOpen)
        for token in 2...100 as ClosedRange<UInt64> {
            guard let wait = harness.held(token) else {
                Issue.record("let through")
                return
            }
            #expect(wait >= Interval(nanoseconds: 2_500_000_000) && wait <= .seconds(5))
        }
        harness.end(1, .well)
        #expect(harness.circuit == .closed)
        for token in 2...100 as ClosedRange<UInt64> { #expect(harness.admit(token) == .go) }
    }

    @Test func opensAgainWhenTheProbeFails() {
        let harness = Harness()
        harness.fail(3)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(1) == .go)
        harness.now = harness.now + .seconds(2)
        harness.end(1, .unwell)
        #expect(harness.circuit == .open)
        #expect(harness.held(1) == .seconds(5))
    }

    @Test func startsAfreshOnceAProbeHasSucceeded() {
        let harness = Harness()
        harness.fail(3)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(1) == .go)
        harness.end(1, .well)
        harness.fail(2)
        #expect(harness.circuit == .closed)
    }

    @Test func passesTheProbeOnWhenItIsGivenUp() {
        let harness = Harness()
        harness.fail(3)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(1) == .go)
        #expect(harness.held(2) != nil)
        harness.end(1, .unknown)
        #expect(harness.admit(2) == .go)
        #expect(harness.circuit == .halfOpen)
        #expect(harness.held(1) != nil)
    }

    @Test func passesTheProbeOnWhenNothingIsHeardOfIt() {
        let harness = Harness()
        harness.fail(3)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(1) == .go)
        harness.now = harness.now + Interval(nanoseconds: 60_000_000_000 - 1)
        #expect(harness.held(2) != nil)
        harness.now = harness.now + Interval(nanoseconds: 1)
        #expect(harness.admit(2) == .go)
        harness.end(1, .well)
        #expect(harness.circuit == .halfOpen)
        harness.end(2, .well)
        #expect(harness.circuit == .closed)
    }

    @Test func attemptsFromBeforeItOpenedDecideNothing() {
        let harness = Harness()
        for token in 1...2 as ClosedRange<UInt64> { #expect(harness.admit(token) == .go) }
        harness.fail(3)
        harness.end(1, .well)
        #expect(harness.circuit == .open)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(3) == .go)
        harness.end(2, .unwell)
        #expect(harness.circuit == .halfOpen)
    }

    @Test func doesNotHoldThoseBackThatWantNoCircuit() {
        let harness = Harness()
        harness.fail(3)
        #expect(harness.admitFree(1) == .go)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admitFree(1) == .go)
        #expect(harness.circuit == .open)
        for token in 0..<100 as Range<UInt64> { harness.endFree(token, .unwell) }
        #expect(harness.circuit == .open)
        #expect(harness.admit(2) == .go)
    }

    @Test func theirFailuresCountForOthers() {
        let harness = Harness()
        for token in 0..<2 as Range<UInt64> { harness.endFree(token, .unwell) }
        #expect(harness.circuit == .closed)
        harness.fail(1)
        #expect(harness.circuit == .open)
    }

    @Test func remembersNoMoreFailuresThanItsLargestLimitNeeds() {
        let harness = Harness(failuresMax: 1000)
        harness.fail(999)
        #expect(harness.circuit == .closed)
        harness.now = harness.now + .seconds(60)
        harness.fail(999)
        #expect(harness.circuit == .closed)
        harness.fail(1)
        #expect(harness.circuit == .open)
    }

    @Test func aProbeThatTheBudgetHoldsBackIsNone() {
        let harness = Harness()
        harness.policy.attemptsPerMinuteMax = 3
        harness.fail(3)
        harness.now = harness.now + .seconds(5)
        #expect(harness.admit(1) == .wait(until: harness.now + .seconds(55), .budget))
        #expect(harness.circuit == .open)
        harness.now = harness.now + .seconds(55)
        #expect(harness.admit(1) == .go)
        #expect(harness.circuit == .halfOpen)
    }

    @Test func isIdleOnlyWhenNothingIsLeftToRemember() {
        let harness = Harness()
        #expect(harness.isIdle)
        harness.fail(1)
        harness.now = harness.now + Interval(nanoseconds: 60_000_000_000 - 1)
        #expect(!harness.isIdle)
        harness.now = harness.now + Interval(nanoseconds: 1)
        #expect(harness.isIdle)
        harness.fail(3)
        harness.now = harness.now + .seconds(3600)
        #expect(!harness.isIdle)
    }

    @Test func anAttemptThatWasNotMadeCostsNothing() {
        for (health, hasBudget) in [(HostGate.Health.unmade, true), (.unknown, false)] {
            let harness = Harness()
            #expect(harness.admit(1) == .go)
            harness.end(1, health)
            #expect(harness.hasBudget == hasBudget)
        }
    }
}
