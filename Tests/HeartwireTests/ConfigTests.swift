import CHeartwire
import Testing

@testable import Heartwire

struct ConfigTests {
    private func error(_ body: () throws -> Void) -> ErrorDetails? {
        do { try body() } catch { return error as? ErrorDetails }
        return nil
    }

    @Test func givesDefaultsUntilSet() throws {
        let config = Config()
        #expect(try config.get(bytes("ping.interval")) == bytes("20s"))
        #expect(config.snapshot.number(.pingInterval) == 20_000)
        #expect(!config.snapshot.isSet(.pingInterval))
        try config.set(bytes("ping.interval"), bytes("60000ms"))
        #expect(try config.get(bytes("ping.interval")) == bytes("1m"))
        #expect(config.snapshot.number(.pingInterval) == 60_000)
        #expect(config.snapshot.isSet(.pingInterval))
        #expect(config.snapshot.boolean(.reconnectEnabled))
        #expect(config.snapshot.bytes(.subprotocols) == [])
        #expect(config.snapshot.choice(.delivery) == 0)
    }

    @Test func aRefusedValueLeavesTheOldOne() throws {
        let config = try Config([("close.timeout", "3s")])
        let details = error { try config.set(bytes("close.timeout"), bytes("3")) }
        #expect(details?.status == hw_status(HW_E_VALUE))
        let form = "a duration with its unit, such as 250ms, 20s or 5m, in 1ms .. 24h"
        #expect(details?.message == "property 'close.timeout' cannot be '3'; it takes \(form)")
        #expect(try config.get(bytes("close.timeout")) == bytes("3s"))
    }

    @Test func doesNotShowSecretsItRefuses() {
        let details = error { try Config().set(bytes("basic_auth"), bytes("user:hunter2") + [0xFF]) }
        #expect(details?.status == hw_status(HW_E_VALUE))
        #expect(details?.message == "property 'basic_auth' cannot be that; it takes user:password")
    }

    @Test func namesTheNearestPropertyForAnUnknownOne() {
        let details = error { try Config().set(bytes("ping.intervall"), bytes("1s")) }
        #expect(details?.status == hw_status(HW_E_PROPERTY))
        #expect(details?.message == "unknown property 'ping.intervall'; did you mean 'ping.interval'?")
        #expect(error { _ = try Config().get([0xFF]) }?.status == hw_status(HW_E_PROPERTY))
    }

    @Test func snapshotsDoNotFollowLaterChanges() throws {
        let config = Config()
        let snapshot = config.snapshot
        try config.set(bytes("queue.messages_max"), bytes("1"))
        try config.addHeader(name: bytes("X"), value: bytes("1"))
        #expect(snapshot.number(.queueMessagesMax) == 10_000)
        #expect(snapshot.headers.lines.isEmpty)
        #expect(config.snapshot.headers.lines == [bytes("X: 1")])
    }

    /// What is no PEM by its size may be a private key all the same.
    @Test func neverShowsAKey() throws {
        let key = bytes("-----BEGIN PRIVATE KEY-----") + [UInt8](repeating: 0x41, count: PropertyValue.pemSizeMax)
        let error = #expect(throws: ErrorDetails.self) { try Config().set(bytes("tls.key_pem"), key) }
        #expect(error?.status == hw_status(HW_E_VALUE))
        #expect(error?.message.contains("BEGIN") == false)
    }
}
