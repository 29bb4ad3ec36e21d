/// Every order of what can happen around one instant, a nanosecond before it, at it and after it.
import Heartbeat
import Testing
import WebSocket

/// At the instant the ack of a beat is due, another beat ticks, and a watch and a ping run out. Each input comes a nanosecond before, at it or
/// after it, and those of one moment in every order; time is looked at after each moment's inputs, as the I/O loop does.
struct InstantOrderTests {
    enum Input: CaseIterable {
        case ack
        case data
        case pong
        case close
        case reconnect
    }

    private static let instant = EngineHarness.instant(20_000)

    private static func rules() throws -> RuleSet {
        try compile(
            #"""
            {"beat": [{"every": "10s", "send": {"body": "a${counter}"},
                       "ack": {"on": {"has": ["/id"]}, "equal": {"/id": "counter"}, "within": "10s"}},
                      {"every": "20s", "send": {"body": "b"}}],
             "watch": [{"on": {"eq": "hb"}, "within": "20s"}]}
            """#)
    }

    private static let orders = permutations(of: Input.allCases)

    private static func permutations(of inputs: [Input]) -> [[Input]] {
        guard inputs.count > 1 else { return [inputs] }
        return inputs.indices.flatMap { index in
            var rest = inputs
            let first = rest.remove(at: index)
            return permutations(of: rest).map { [first] + $0 }
        }
    }

    /// Opened at 0: the ping and beat 0 went out at 10 s. A connection that reconnects has closed before.
    @Test(arguments: orders.filter { ($0.firstIndex(of: .close) ?? 0) < ($0.firstIndex(of: .reconnect) ?? 0) })
    func eachOrderGivesWhatTheClockSays(order: [Input]) throws {
        let rules = try Self.rules()
        for number in 0..<243 {
            var rest = number
            var offsets: [Input: Int64] = [:]
            for input in Input.allCases {
                offsets[input] = Int64(rest % 3) - 1
                rest /= 3
            }
            guard offsets[.close, default: 0] <= offsets[.reconnect, default: 0] else { continue }
            try check(order, offsets, rules)
        }
    }

    private func check(_ order: [Input], _ offsets: [Input: Int64], _ rules: RuleSet) throws {
        let harness = EngineHarness(rules) {
            $0.silencePolicy = .report
            $0.failureThreshold = nil
            $0.liveness = .pong
            $0.ping = .init(interval: .seconds(10), timeout: .seconds(10), missedMax: 9)
        }
        harness.run(until: 10_000)
        let ping = try #require(harness.allSent.first { $0.purpose == .ping }).payload
        let expected = Expected(order, offsets)
        var old: [String] = []
        for offset in -1...1 as ClosedRange<Int64> {
            harness.arrive(at: 20_000, plus: offset)
            for input in order where offsets[input] == offset {
                switch input {
                case .ack: harness.receive(#"{"id": 1}"#)
                case .data: harness.receive("hb")
                case .pong: harness.receivePong(ping)
                case .close:
                    harness.end()
                    old = harness.takeNotes().withoutHealth.sorted()
                case .reconnect: harness.open()
                }
            }
            harness.poll()
        }
        let comment: Comment = "\(order) at \(order.map { offsets[$0, default: 0] })"
        let sentOld = harness.takeSent().filter { $0.hasSuffix("b") }
        let notes = harness.takeNotes().withoutHealth
        #expect(old == expected.notes, comment)
        #expect(sentOld == expected.sent, comment)
        #expect(notes == expected.notesAfterwards, comment)
        try checkNext(harness, reopened: Self.instant.nanoseconds + offsets[.reconnect, default: 0], comment)
    }

    /// The next connection begins anew: its first beats at their times, with the first number, and nothing is owed.
    private func checkNext(_ harness: EngineHarness, reopened: Int64, _ comment: Comment) throws {
        #expect(harness.engine.snapshot.failuresInARow == 0, comment)
        #expect(harness.engine.roundTrips.count == 0, comment)
        let first = Instant(nanoseconds: reopened + 10_000_000_000)
        #expect(harness.engine.deadline == first, comment)
        harness.run(until: first)
        #expect(harness.takeSent().first == "\(EngineHarness.text(first)) a1", comment)
        harness.receive(#"{"id": 1}"#)
        #expect(harness.takeNotes().withoutHealth.last == "\(EngineHarness.text(first)) acked beat 0 0", comment)
    }

    /// What the order means, said by looking at times alone.
    private struct Expected {
        var notes: [String] = []
        var notesAfterwards: [String] = []
        var sent: [String] = []

        init(_ order: [Input], _ offsets: [Input: Int64]) {
            func position(_ input: Input) -> (Int64, Int) { (offsets[input, default: 0], order.firstIndex(of: input) ?? 0) }
            func text(_ offset: Int64) -> String { EngineHarness.text(Instant(nanoseconds: instant.nanoseconds + offset)) }
            func comesBefore(_ a: Input, _ b: Input) -> Bool { position(a) < position(b) }
            // The clock is looked at after all that comes at the instant.
            let isOpenAtInstant = offsets[.close, default: 0] > 0
            let ackTime = offsets[.ack, default: 0]
            if isOpenAtInstant {
                sent = [text(0) + " b"]
                if ackTime > 0 { notes.append(text(0) + " missed 1 beat 0") }
                if offsets[.data, default: 0] > 0 { notes.append(text(0) + " silent 1 watch 0") }
                if offsets[.pong, default: 0] > 0 { notes.append(text(0) + " missed 1 ping") }
            }
            func acked(_ subject: String, _ time: Int64) -> String {
                "\(text(time)) acked \(subject) \(time < 0 ? 9999 : 10_000)\(time > 0 ? " late" : "")"
            }
            if comesBefore(.ack, .close) { notes.append(acked("beat 0", ackTime)) }
            if comesBefore(.data, .close) { notes.append("\(text(offsets[.data, default: 0])) received watch 0") }
            if comesBefore(.pong, .close) { notes.append(acked("ping", offsets[.pong, default: 0])) }
            notes.sort()
            // Of all that belongs to the connection before, only what is not tied to it counts on the next.
            if comesBefore(.reconnect, .data) { notesAfterwards.append("\(text(offsets[.data, default: 0])) received watch 0") }
        }
    }
}
