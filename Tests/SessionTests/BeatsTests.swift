import Heartbeat
import Testing
import WebSocket

@testable import Session

struct BeatsTests {
    private let opened = Instant(nanoseconds: 0)

    private func beats(pingMs: Int64?, beatMs: Int64?) throws -> Beats {
        var configuration = SessionConfiguration(url: try URL(parsing: bytes("ws://h")))
        configuration.ping = pingMs.map { .init(interval: .milliseconds($0), timeout: .milliseconds(10), missedMax: 1) }
        configuration.beat = beatMs.map { .init(interval: .milliseconds($0), kind: .binary, payload: [1]) }
        return Beats(configuration, salt: 1, opened: opened)
    }

    @Test func isDueWhenTheFirstOfItsRhythmsIs() throws {
        #expect(Beats().deadline == nil)
        #expect(try beats(pingMs: nil, beatMs: nil).deadline == nil)
        #expect(try beats(pingMs: 30, beatMs: nil).deadline == opened + .milliseconds(30))
        #expect(try beats(pingMs: nil, beatMs: 20).deadline == opened + .milliseconds(20))
        #expect(try beats(pingMs: 30, beatMs: 20).deadline == opened + .milliseconds(20))
        #expect(try beats(pingMs: 10, beatMs: 20).deadline == opened + .milliseconds(10))
    }

    @Test func sendsBothWhenBothAreDue() throws {
        let harness = OutboxHarness()
        harness.outbox.open()
        var beats = try beats(pingMs: 20, beatMs: 20)
        let isSilent = beats.poll(opened + .milliseconds(20), &harness.outbox) == nil
        harness.transmit()
        #expect(isSilent)
        #expect(try harness.takeFrames().map { $0.opcode } == [.binary, .ping])
    }

    @Test func takesPongsOfTheRightSizeOnly() throws {
        let harness = OutboxHarness()
        harness.outbox.open()
        var beats = try beats(pingMs: 20, beatMs: nil)
        _ = beats.poll(opened + .milliseconds(20), &harness.outbox)
        harness.transmit()
        let ping = try #require(try harness.takeFrames().first).payload
        let times = [[], [UInt8](ping.dropLast()), ping + [0], ping].map { payload in
            payload.withUnsafeBytes { beats.pongReceived($0, opened + .milliseconds(25)) }
        }
        #expect(times == [nil, nil, nil, .milliseconds(5)])
    }
}
