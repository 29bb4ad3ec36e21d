import Heartbeat
import Session
import Testing

@testable import Heartwire

struct MetricsCollectorTests {
    private func connection(_ name: String, url: String = "ws://nowhere.test") throws -> Connection {
        let io = try #require(IOThread())
        return Connection(try Config([("metrics.name", name)]).plan(url: url), library: Library.shared, io: io)
    }

    private func lines(_ collector: MetricsCollector, _ prefix: String) -> [String] {
        let text = String(decoding: collector.text(Instant(nanoseconds: 10_000_000_000)), as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter { $0.hasPrefix(prefix) }
    }

    @Test func withoutConnectionsFamiliesAreDescribedAlone() {
        let collector = MetricsCollector()
        #expect(lines(collector, "heartwire").isEmpty)
        #expect(lines(collector, "# TYPE heartwire").count == 36)
        #expect(lines(collector, "# EOF") == ["# EOF"])
    }

    @Test(arguments: [
        ("", "ws://Host.test/path", "host.test:80"), ("", "wss://me:secret@host.test/", "host.test:443"),
        ("", "ws://[::1]:8080", "[::1]:8080"), ("", "ws://[fe80::1%lo]", "[fe80::1]:80"),
        ("feed", "ws://host.test", "feed"), (String(repeating: "x", count: 128), "ws://h", String(repeating: "x", count: 128)),
    ])
    func aConnectionIsNamedByThePropertyOrItsURL(name: String, url: String, expected: String) throws {
        let collector = MetricsCollector()
        collector.add(try connection(name, url: url))
        #expect(lines(collector, "heartwire_attempts_total") == ["heartwire_attempts_total{connection=\"\(expected)\"} 0"])
    }

    @Test(arguments: ["a\nb", "a\u{7F}", "\t", String(repeating: "x", count: 129)])
    func aNameThatCannotBeShownIsRefused(name: String) {
        let error = #expect(throws: ErrorDetails.self) { try connection(name) }
        #expect(error?.message.contains("metrics.name") == true)
    }

    @Test func everyNumberStandsInItsFamily() throws {
        let collector = MetricsCollector()
        let one = try connection("a")
        one.published.heartbeats.totals.beatsAcked = 2
        one.published.heartbeats.totals.beatsLate = 3
        one.published.session.beatsMissed = 4
        one.published.heartbeats.totals.received = 5
        one.published.heartbeats.totals.answered = 6
        one.published.heartbeats.totals.failed = 7
        one.published.session.messagesReceived = 8
        one.published.session.attempts = 10
        one.published.session.attemptsFailed = 11
        one.published.session.reconnections = 12
        one.published.session.rotations = 13
        one.published.session.errors = 14
        one.published.messagesDropped = 15
        one.published.session.duplicatesDropped = 16
        one.published.session.bytesReceived = 20
        collector.add(one)
        let expected = [
            "beats_sent": 0, "beats_acked": 2, "beats_late": 3, "beats_missed": 4, "heartbeats_received": 5, "heartbeats_answered": 6,
            "heartbeats_failed": 7, "messages_received": 8, "messages_sent": 0, "attempts": 10, "attempts_failed": 11, "reconnections": 12,
            "rotations": 13, "errors": 14, "messages_dropped": 15, "duplicates_dropped": 16, "queue_expired": 0, "queue_dropped": 0,
            "queue_cancelled": 0, "received_bytes": 20, "sent_bytes": 0,
        ]
        for (name, number) in expected {
            #expect(lines(collector, "heartwire_\(name)_total") == ["heartwire_\(name)_total{connection=\"a\"} \(number)"])
        }
    }

    @Test func connectionsOfOneNameAreAddedUpAndTheWorstTimesCount() throws {
        let collector = MetricsCollector()
        for number in 1...3 as ClosedRange<Int64> {
            let one = try connection("a")
            one.published.state = number == 3 ? .reconnecting : .connected
            one.published.heartbeats.isPingedFaster = number > 1
            one.published.session.errors = UInt64(number)
            one.published.session.lastMessageAt = Instant(nanoseconds: 10_000_000_000 - number * 1_000_000_000)
            one.published.heartbeats.roundTrips.record(.milliseconds(number), Instant(nanoseconds: 0))
            one.published.heartbeats.times.record(.milliseconds(number), .latency)
            collector.add(one)
        }
        #expect(lines(collector, "heartwire_errors_total") == ["heartwire_errors_total{connection=\"a\"} 6"])
        #expect(lines(collector, "heartwire_pinged_faster") == ["heartwire_pinged_faster{connection=\"a\"} 2"])
        #expect(lines(collector, "heartwire_last_round_trip") == ["heartwire_last_round_trip_seconds{connection=\"a\"} 0.003"])
        #expect(lines(collector, "heartwire_last_message_age") == ["heartwire_last_message_age_seconds{connection=\"a\"} 3.0"])
        #expect(lines(collector, "heartwire_heartbeat_latency_seconds_sum").first?.hasSuffix(" 0.006") == true)
        #expect(lines(collector, "heartwire_connections{connection=\"a\",state=\"connected\"}").first?.hasSuffix(" 2") == true)
        #expect(lines(collector, "heartwire_connections{connection=\"a\",state=\"reconnecting\"}").first?.hasSuffix(" 1") == true)
    }

    @Test func anEndedConnectionTellsNoTimes() throws {
        let collector = MetricsCollector()
        let one = try connection("a")
        one.published.state = .failed
        one.published.session.lastMessageAt = Instant(nanoseconds: 1)
        collector.add(one)
        #expect(lines(collector, "heartwire_last_message_age") == [])
        #expect(lines(collector, "heartwire_connections{connection=\"a\",state=\"failed\"}").first?.hasSuffix(" 1") == true)
    }

    @Test func countersOutliveTheirConnectionsAndGaugesDoNot() throws {
        let collector = MetricsCollector()
        let connections = try (0..<4).map { _ in try connection("a") }
        for one in connections {
            one.published.session.errors = 10
            collector.add(one)
        }
        for (index, one) in [connections[1], connections[3], connections[0], connections[2]].enumerated() {
            collector.remove(one)
            collector.remove(one)
            #expect(lines(collector, "heartwire_errors_total") == ["heartwire_errors_total{connection=\"a\"} 40"])
            #expect(lines(collector, "heartwire_queue_messages").count == (index == 3 ? 0 : 1))
        }
    }

    @Test func aReleasedConnectionThatHasNotEndedCountsButIsNotThere() throws {
        let collector = MetricsCollector()
        let one = try connection("a")
        one.published.session.errors = 1
        one.isReleased = true
        collector.add(one)
        #expect(lines(collector, "heartwire_errors_total") == ["heartwire_errors_total{connection=\"a\"} 1"])
        #expect(lines(collector, "heartwire_connections").isEmpty)
    }

    @Test func namesBeyondTheFirstHundredAreOthers() throws {
        let collector = MetricsCollector()
        let io = try #require(IOThread())
        func add(_ name: String) throws {
            let plan = try Config([("metrics.name", name)]).plan()
            collector.add(Connection(plan, library: Library.shared, io: io))
        }
        for number in 1...103 { try add("n\(number)") }
        try add("n7")
        try add("other")
        let states = lines(collector, "heartwire_connections").filter { $0.contains("state=\"connecting\"") }
        #expect(states.count == 101)
        #expect(states.last == "heartwire_connections{connection=\"other\",state=\"connecting\"} 4")
        #expect(states.contains("heartwire_connections{connection=\"n7\",state=\"connecting\"} 2"))
        #expect(!states.contains { $0.contains("n101") })
    }

    @Test func listenersCountByNameAndTheirClientsAreThereWhileTheyAre() {
        let collector = MetricsCollector()
        let (first, second) = (collector.counts(ofListener: bytes("a")), collector.counts(ofListener: bytes("a")))
        #expect(first === second)
        first.listenerOpened()
        first.clientAccepted()
        second.clientAccepted()
        second.clientGone()
        second.broadcastSent(delivered: 5, leftOut: 2)
        for refusal in [ListenerCounts.Counter.refusedFull, .refusedUnfinished, .refusedUnfinished, .timedOut] { first.count(refusal) }
        let samples = lines(collector, "heartwire_listener").map { $0.dropFirst("heartwire_listener_".count) }
        #expect(
            samples == [
                "accepted_total{listener=\"a\"} 2", "timed_out_total{listener=\"a\"} 1", "broadcasts_total{listener=\"a\"} 1",
                "broadcast_deliveries_total{listener=\"a\"} 5", "broadcast_left_out_total{listener=\"a\"} 2",
                "refused_total{listener=\"a\",reason=\"full\"} 1", "refused_total{listener=\"a\",reason=\"request\"} 0",
                "refused_total{listener=\"a\",reason=\"origin\"} 0", "refused_total{listener=\"a\",reason=\"application\"} 0",
                "refused_total{listener=\"a\",reason=\"unfinished\"} 2", "clients{listener=\"a\"} 1",
            ])
        first.listenerClosed()
        #expect(lines(collector, "heartwire_listener_clients").isEmpty)
        #expect(lines(collector, "heartwire_listener_accepted_total").count == 1)
    }

    @Test func listenersBeyondTheFirstHundredNamesAreOthers() {
        let collector = MetricsCollector()
        for number in 1...102 { collector.counts(ofListener: bytes("n\(number)")).clientAccepted() }
        let accepted = lines(collector, "heartwire_listener_accepted_total")
        #expect(accepted.count == 101)
        #expect(accepted.last == "heartwire_listener_accepted_total{listener=\"other\"} 2")
    }
}
