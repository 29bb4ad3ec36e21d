/// Every preset under random inputs, many seeds: the promises of EngineHarness, and no beat before its time, never two of one rule within
/// its interval, no counts beyond what was sent and received.
import Foundation
import Heartbeat
import Testing
import WebSocket

struct EnginePropertyTests {
    private static let seeds: Range<UInt64> = 0..<4

    @Test(arguments: PresetTable.presets.indices) func presetsKeepTheirPromisesUnderAnyInputs(index: Int) throws {
        let preset = PresetTable.presets[index]
        var compiler = RuleCompiler()
        try compiler.add([UInt8](preset.rule.description.utf8), asPreset: true)
        let rules = try compiler.finish()
        let messages = Self.messages[preset.name.description] ?? []
        for seed in Self.seeds {
            var walk = EngineWalk(rules, preset, messages + Self.strange, seed: seed &* 1000 &+ UInt64(index))
            walk.run()
        }
    }

    /// What the servers of the transcripts send, by preset.
    private static let messages: [String: [EngineWalk.Message]] = {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        guard let data = try? Data(contentsOf: tests.appendingPathComponent("Transcripts/heartbeats.json")),
            let transcripts = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
        else { return [:] }
        var messages: [String: [EngineWalk.Message]] = [:]
        for transcript in transcripts {
            guard let entry = transcript["entry"] as? String, let steps = transcript["steps"] as? [[String: Any]] else { continue }
            for step in steps {
                guard let text = step["payload"] as? String else { continue }
                let kind: MessageKind = step["frame"] as? String == "binary" ? .binary : .text
                messages[entry, default: []].append(.init(kind: kind, payload: [UInt8](text.utf8)))
            }
        }
        return messages
    }()

    private static let strange: [EngineWalk.Message] =
        ["", " ", "{}", "[]", "null", "ping", "pong", #"{"op":"ping"}"#, #"{"type":"ping"}"#, "{", #""\ud800""#, "~m~4~m~~h~1", "\n", "2"]
        .map {
            .init(kind: .text, payload: [UInt8]($0.utf8))
        } + [.init(kind: .binary, payload: [0xD0, 0x00, 0x1F, 0x8B])]
}

/// A random walk of one engine.
private struct EngineWalk {
    struct Message: Sendable {
        let kind: MessageKind
        let payload: [UInt8]
    }

    private let rules: RuleSet
    private let messages: [Message]
    private let harness: EngineHarness
    private var random: UInt64
    private var isPaused = false
    private var opened = Instant(nanoseconds: 0)
    /// When the last stall ended: what was due during it came late.
    private var stalled = Instant(nanoseconds: -1)
    private var checked = 0

    init(_ rules: RuleSet, _ preset: Preset, _ messages: [Message], seed: UInt64) {
        self.rules = rules
        self.messages = messages
        random = seed
        let parameters = Dictionary(uniqueKeysWithValues: preset.parameters.map { ($0.name.description, "17") })
        let draw = seed
        harness = EngineHarness(rules, parameters: parameters) {
            $0.failureThreshold = draw % 3 == 0 ? nil : 3
            $0.silencePolicy = [.probe, .close, .report][Int(draw % 3)]
            $0.liveness = [.anyReceived, .pong, .data][Int(draw / 3 % 3)]
            if draw % 2 == 0 { $0.ping = .init(interval: .seconds(20), timeout: .seconds(10), missedMax: 2) }
            if draw % 4 == 0 { $0.adaptive = AdaptiveInterval(good: .seconds(20), fair: .seconds(13), poor: .seconds(10)) }
            $0.consumesHeartbeats = draw % 5 == 0
        }
    }

    /// SplitMix64.
    private mutating func draw(_ count: Int) -> Int {
        random &+= 0x9E37_79B9_7F4A_7C15
        var bits = random
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((bits ^ bits >> 31) % UInt64(count))
    }

    private var milliseconds: Int64 { harness.now.nanoseconds / 1_000_000 }

    mutating func run() {
        for _ in 0..<60 {
            if !harness.verdicts.isEmpty { break }
            step()
            checkBeats()
            checkCounts()
        }
        harness.end()
        #expect(harness.engine.deadline == nil)
    }

    private mutating func step() {
        switch draw(25) {
        case 0...7: harness.run(until: milliseconds + Int64(draw(40_000)))
        case 8:
            harness.stall(until: milliseconds + Int64(draw(200_000)))
            stalled = harness.now
            harness.poll()
        case 9...15: receive()
        case 16: harness.receivePing([1, 2, 3])
        case 17:
            if let ping = harness.allSent.last(where: { $0.opcode == .ping }) { harness.receivePong(ping.payload) }
        case 18: harness.applicationSends(#"{"id":\#(draw(1000)),"1":"7"}"#)
        case 19: harness.receivePart()
        case 20:
            isPaused.toggle()
            if isPaused { harness.engine.readingPaused(harness.now) } else { harness.engine.readingResumed(harness.now) }
        case 21: harness.isWritable.toggle()
        case 22: harness.poll()
        case 23: harness.probe()
        default: reconnect()
        }
    }

    private mutating func receive() {
        var message = messages[draw(messages.count)]
        if draw(4) == 0, !message.payload.isEmpty {
            var payload = message.payload
            payload[draw(payload.count)] = UInt8(truncatingIfNeeded: draw(128))
            message = Message(kind: message.kind, payload: payload)
        }
        harness.receive(message.payload, message.kind)
    }

    private mutating func reconnect() {
        harness.end()
        harness.run(until: milliseconds + 1000)
        checked = harness.allSent.count
        harness.open()
        opened = harness.now
        isPaused = false
    }

    /// A beat of fixed rhythm that starts with the connection: nothing but stalls may move it.
    private mutating func checkBeats() {
        let sent = harness.allSent[checked...]
        for (index, rule) in rules.beats.enumerated() {
            guard case .fixed(let interval) = rule.every, case .open = rule.start else { continue }
            var previous: Instant?
            for beat in sent where beat.purpose == .beat(index) {
                if rule.first == .afterInterval { #expect(beat.at >= opened + interval, "too early after the opening") }
                if let previous, previous > stalled, beat.at > stalled {
                    #expect(beat.at >= previous + interval, "two beats within an interval")
                }
                if beat.at <= stalled, let previous { #expect(beat.at > previous, "two beats at once") }
                previous = beat.at
            }
        }
    }

    private func checkCounts() {
        let totals = harness.engine.totals
        let beats = UInt64(harness.allSent.filter { if case .answer = $0.purpose { false } else { true } }.count)
        #expect(totals.beatsAcked <= beats)
        #expect(totals.beatsMissed <= beats)
        #expect(totals.beatsLate <= totals.beatsMissed)
        #expect(totals.answered <= UInt64(harness.allSent.count) + totals.received)
        #expect(harness.engine.snapshot.failuresInARow <= Int(totals.failed + totals.beatsMissed))
        #expect(harness.verdicts.count <= 1)
    }
}
