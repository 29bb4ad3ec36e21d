/// Every transcript of Tests/Transcripts against the engine in virtual time: what it sends, byte for byte and to the millisecond, what it
/// reports, and that it sends nothing else.
import Foundation
import Heartbeat
import Testing
import WebSocket

@testable import Heartwire

struct TranscriptTests {
    @Test(arguments: Transcript.all)
    func isPlayed(_ transcript: Transcript) throws {
        let player = try TranscriptPlayer(transcript)
        try player.run()
        #expect(player.sent == transcript.expectedSends, "sent")
        let events = Set(player.events)
        for event in transcript.expectedEvents { #expect(events.contains(event), "\(event) is missing in \(player.events)") }
        if transcript.kind == "negative" {
            let answers = player.events.filter { $0.kind == "answered" || $0.kind == "ack" }
            #expect(answers.allSatisfy { transcript.expectedEvents.contains($0) || transcript.sendsAt($0.milliseconds) })
        }
    }

    @Test func thereAreTranscriptsOfEveryKind() {
        #expect(Transcript.all.count >= 147)
        for kind in ["positive", "negative", "variant", "policy"] { #expect(Transcript.all.contains { $0.kind == kind }) }
    }
}

/// One case of heartbeats.json.
struct Transcript: CustomTestStringConvertible, Sendable {
    struct Frame: Equatable, Sendable, CustomStringConvertible {
        let milliseconds: Int
        let opcode: String
        let payload: [UInt8]

        var description: String { "\(milliseconds) \(opcode) \(String(decoding: payload, as: UTF8.self))" }
    }

    struct Step: Sendable {
        let frame: Frame
        let isFromServer: Bool
        let isFromApplication: Bool
    }

    struct ExpectedEvent: Hashable, Sendable {
        let milliseconds: Int
        let kind: String
    }

    let id: String
    let kind: String
    let entry: String
    let rule: [UInt8]
    let steps: [Step]
    let expectedEvents: [ExpectedEvent]
    let end: Int
    let parameters: [String: String]
    let counterStart: Int64
    let jitter: Double
    let unixMilliseconds: Int64

    var testDescription: String { id }

    /// What the library itself sends; pongs are the session's.
    var expectedSends: [Frame] {
        steps.filter { !$0.isFromServer && !$0.isFromApplication && $0.frame.opcode != "pong" }.map { $0.frame }
    }

    func sendsAt(_ milliseconds: Int) -> Bool { steps.contains { !$0.isFromServer && $0.frame.milliseconds == milliseconds } }

    static let all: [Transcript] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../Transcripts/heartbeats.json")
        guard let data = try? Data(contentsOf: file), let list = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]] else {
            return []
        }
        return list.compactMap { Transcript($0) }
    }()

    /// Nil for a service that no rule can express.
    private init?(_ json: [String: Any]) {
        guard let rule = json["rule"] as? [String: Any], let steps = json["steps"] as? [[String: Any]],
            let env = json["env"] as? [String: Any], let data = try? JSONSerialization.data(withJSONObject: rule)
        else { return nil }
        id = json["id"] as? String ?? ""
        kind = json["kind"] as? String ?? ""
        entry = json["entry"] as? String ?? ""
        self.rule = [UInt8](data)
        self.steps = steps.map { step in
            let text = (step["payload"] as? String).map { [UInt8]($0.utf8) }
            let hex = (step["payload_hex"] as? String).map { Self.bytes(hex: $0) }
            let frame = Frame(
                milliseconds: step["at_ms"] as? Int ?? 0, opcode: step["frame"] as? String ?? "", payload: text ?? hex ?? [])
            return Step(frame: frame, isFromServer: step["from"] as? String == "server", isFromApplication: step["by"] as? String == "app")
        }
        expectedEvents = (json["expect_events"] as? [[Any]] ?? []).map {
            ExpectedEvent(milliseconds: $0[0] as? Int ?? 0, kind: $0[1] as? String ?? "")
        }
        end = json["end_ms"] as? Int ?? 0
        parameters = (env["params"] as? [String: Any] ?? [:]).mapValues { "\($0)" }
        counterStart = (env["counter_start"] as? NSNumber)?.int64Value ?? 1
        jitter = (env["jitter"] as? NSNumber)?.doubleValue ?? 0.5
        unixMilliseconds = (env["unix_ms0"] as? NSNumber)?.int64Value ?? 0
    }

    private static func bytes(hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    }
}

/// Plays the server's and the application's part of a transcript to an engine, on a clock of its own.
private final class TranscriptPlayer {
    private(set) var sent: [Transcript.Frame] = []
    private(set) var events: [Transcript.ExpectedEvent] = []
    private let transcript: Transcript
    private var engine: HeartbeatEngine
    private let variables: HeartbeatVariables
    private let scratch = RuleScratch()
    private var lastMessageSent: Instant?
    private(set) var hasVerdict = false
    private var now = 0

    init(_ transcript: Transcript) throws {
        self.transcript = transcript
        var compiler = RuleCompiler()
        try compiler.add(transcript.rule, asPreset: true)
        let configuration = HeartbeatConfiguration()
        let rules = try compiler.finish()
        configuration.rules = rules
        configuration.counterStart = transcript.counterStart
        configuration.parameters = rules.variables.map { name in
            transcript.parameters[String(decoding: name, as: UTF8.self)].map { [UInt8]($0.utf8) }
        }
        configuration.coder = ZlibBodies(try #require(Zlib.shared))
        // Probes are tested elsewhere.
        configuration.silencePolicy = .report
        variables = try #require(HeartbeatVariables(configuration))
        engine = HeartbeatEngine(configuration, TranscriptEnvironment(transcript), variables)
    }

    private var instant: Instant { Instant(nanoseconds: Int64(now) * 1_000_000) }

    func run() throws {
        engine.connectionOpened(instant, salt: 0)
        drain()
        for step in transcript.steps where step.isFromServer || step.isFromApplication {
            advance(to: step.frame.milliseconds, includingEnd: false)
            play(step)
        }
        advance(to: transcript.end, includingEnd: true)
    }

    /// What is due at the very instant of a step comes after it.
    private func advance(to end: Int, includingEnd: Bool) {
        while let deadline = engine.deadline {
            let due = Int((deadline.nanoseconds + 999_999) / 1_000_000)
            guard due < end || (due == end && includingEnd) else { break }
            let before = now
            now = max(now, due)
            engine.poll(instant, lastMessageSent: lastMessageSent, oldestAnswer: nil)
            drain()
            if let next = engine.deadline, next.nanoseconds <= instant.nanoseconds, now == before {
                Issue.record("the deadline does not move on")
                return
            }
        }
        now = max(now, end)
    }

    private func play(_ step: Transcript.Step) {
        step.frame.payload.withUnsafeBytes { payload in
            switch step.frame.opcode {
            case "ping": engine.pingReceived(payload, instant)
            case "pong": engine.pongReceived(payload, instant)
            default:
                let kind: MessageKind = step.frame.opcode == "binary" ? .binary : .text
                if step.isFromApplication {
                    variables.observeOutgoing(kind, payload)
                    lastMessageSent = instant
                } else {
                    engine.bytesReceived(instant)
                    if engine.isConcerned(by: kind, payload, instant) { _ = engine.messageReceived(kind, payload, scratch, instant) }
                }
            }
        }
        drain()
    }

    private func drain() {
        while engine.hasOutput {
            for output in engine.takeOutputs() {
                switch output {
                case .send(let heartbeat): transmit(heartbeat)
                case .note(let note): observe(note)
                case .verdict: hasVerdict = true
                }
            }
        }
    }

    private func transmit(_ heartbeat: OutgoingHeartbeat) {
        let opcode = ["text", "binary", "ping"][Int(heartbeat.opcode.rawValue)]
        sent.append(Transcript.Frame(milliseconds: now, opcode: opcode, payload: heartbeat.payload))
        if case .answer(let reply?, let received) = heartbeat.purpose {
            engine.answerHandedOver(.reply(reply), received: received, instant)
        } else {
            engine.beatHandedOver(heartbeat.purpose)
        }
    }

    private func observe(_ note: HeartbeatNote) {
        let kind: String? =
            switch note.kind {
            case .responded: "answered"
            case .beatAcked: "ack"
            case .beatMissed: "ack_timeout"
            case .received: "beat_seen"
            case .timedOut: "silence"
            default: nil
            }
        if let kind { events.append(Transcript.ExpectedEvent(milliseconds: now, kind: kind)) }
    }
}

/// What transcripts take for granted of clock and chance.
private final class TranscriptEnvironment: HeartbeatEnvironment {
    private let transcript: Transcript
    private var uuids = 0
    private var randoms = 0

    init(_ transcript: Transcript) {
        self.transcript = transcript
    }

    func unixNanoseconds(at now: Instant) -> Int64 { transcript.unixMilliseconds * 1_000_000 + now.nanoseconds }

    func appendUUID(to text: inout [UInt8]) {
        uuids += 1
        text += [UInt8](String(format: "00000000-0000-4000-8000-%012d", uuids).utf8)
    }

    func appendRandom(to text: inout [UInt8]) {
        randoms += 1
        text += [UInt8]("r\(randoms)".utf8)
    }

    func fraction() -> Double { transcript.jitter }
}
