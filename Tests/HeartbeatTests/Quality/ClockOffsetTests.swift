import Heartbeat
import Testing

/// Messages that take a known way, from a server behind whose clock ours runs ahead by a known time.
struct ClockOffsetTests {
    private static let unixAtZero: Int64 = 1_700_000_000_000_000_000
    private static let millisecond: Int64 = 1_000_000

    private func at(_ seconds: Int64) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

    private func roundTrips(_ milliseconds: Int64...) -> RoundTripWindow {
        var window = RoundTripWindow()
        for count in milliseconds { window.record(.milliseconds(count), at(0)) }
        return window
    }

    /// The wall clock runs with the monotonic one.
    private func sample(
        _ offset: inout ClockOffset, way milliseconds: Int64, ahead: Int64 = 0, roundTrips: RoundTripWindow, _ seconds: Int64
    ) -> OneWayLatency {
        let local = Self.unixAtZero + seconds * 1000 * Self.millisecond
        let server = local - (milliseconds + ahead) * Self.millisecond
        return offset.record(server: server, local: local, roundTrips: roundTrips, at(seconds))
    }

    @Test func withoutRoundTripsOnlyTheRawLatencyIsKnown() {
        var offset = ClockOffset()
        let latency = sample(&offset, way: 30, ahead: -500, roundTrips: roundTrips(), 1)
        #expect(latency.raw == -470 * Self.millisecond)
        #expect(latency.offset == nil)
        #expect(latency.corrected == nil)
    }

    @Test(arguments: [0, 1, -1, 3_600_000, -3_600_000] as [Int64])
    func theFastestMessageTookHalfOfTheFastestRoundTrip(ahead: Int64) {
        var offset = ClockOffset()
        let trips = roundTrips(90, 40, 60)
        _ = sample(&offset, way: 35, ahead: ahead, roundTrips: trips, 1)
        _ = sample(&offset, way: 20, ahead: ahead, roundTrips: trips, 2)
        let latency = sample(&offset, way: 170, ahead: ahead, roundTrips: trips, 3)
        #expect(latency.raw == (170 + ahead) * Self.millisecond)
        #expect(latency.offset == ahead * Self.millisecond)
        #expect(latency.corrected == 170 * Self.millisecond)
    }

    /// Minutes of congestion show, and are not taken for a clock that has changed.
    @Test func aJamDoesNotMoveTheOffset() {
        var offset = ClockOffset()
        let trips = roundTrips(40)
        _ = sample(&offset, way: 20, roundTrips: trips, 0)
        for second in 1...170 as ClosedRange<Int64> {
            #expect(sample(&offset, way: 400, roundTrips: trips, second).corrected == 400 * Self.millisecond)
        }
    }

    @Test(
        arguments: [(0, 239, 20), (0, 240, 300), (59, 239, 20), (59, 240, 300), (60, 299, 20), (60, 300, 300)] as [(Int64, Int64, Int64)])
    func theFastestMessageIsForgottenAfterFourMinutesAtMost(first: Int64, second: Int64, fastest: Int64) {
        var offset = ClockOffset()
        let trips = roundTrips(0)
        _ = sample(&offset, way: 20, roundTrips: trips, first)
        let latency = sample(&offset, way: 300, roundTrips: trips, second)
        #expect(latency.offset == fastest * Self.millisecond)
    }

    @Test func aLongSilenceForgetsEverything() {
        var offset = ClockOffset()
        _ = sample(&offset, way: 20, roundTrips: roundTrips(0), 0)
        #expect(sample(&offset, way: 90, roundTrips: roundTrips(0), 1_000_000).offset == 90 * Self.millisecond)
    }

    @Test(arguments: [3600, -3600] as [Int64])
    func aWallClockThatWasSetStartsTheWindowAnew(step: Int64) {
        var offset = ClockOffset()
        let trips = roundTrips(40)
        _ = sample(&offset, way: 20, roundTrips: trips, 0)
        let local = Self.unixAtZero + (step + 10) * 1000 * Self.millisecond
        let server = Self.unixAtZero + 10 * 1000 * Self.millisecond - 20 * Self.millisecond
        let latency = offset.record(server: server, local: local, roundTrips: trips, at(10))
        #expect(latency.offset == step * 1000 * Self.millisecond)
        #expect(latency.corrected == 20 * Self.millisecond)
    }

    @Test func aWallClockThatIsAdjustedKeepsTheWindow() {
        var offset = ClockOffset()
        let trips = roundTrips(0)
        _ = sample(&offset, way: 20, roundTrips: trips, 0)
        let local = Self.unixAtZero + 10_005 * Self.millisecond
        let latency = offset.record(server: local - 300 * Self.millisecond, local: local, roundTrips: trips, at(10))
        #expect(latency.offset == 20 * Self.millisecond)
    }

    @Test func anyNumberIsATimestamp() {
        let numbers: [Int64] = [.min, .min + 1, -1, 0, 1, .max - 1, .max]
        var offset = ClockOffset()
        for server in numbers {
            for local in numbers {
                for now in numbers {
                    let latency = offset.record(server: server, local: local, roundTrips: roundTrips(40), Instant(nanoseconds: now))
                    let (exact, overflow) = local.subtractingReportingOverflow(server)
                    #expect(latency.raw == (overflow ? (local < 0 ? .min : .max) : exact))
                    #expect(latency.corrected != nil)
                }
            }
        }
    }
}
