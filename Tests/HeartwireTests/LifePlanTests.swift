import CHeartwire
import Heartbeat
import Session
import Testing
import WebSocket

@testable import Heartwire

struct LifePlanTests {
    private func session(_ properties: [(String, String)] = []) throws -> SessionConfiguration {
        try Config(properties).plan(url: "ws://h/").session
    }

    private func refusal(_ properties: [(String, String)]) -> ErrorDetails? {
        do {
            _ = try session(properties)
            return nil
        } catch {
            return error as? ErrorDetails
        }
    }

    @Test func takesTheDefaults() throws {
        let session = try session()
        let plain = SessionConfiguration(url: session.url)
        #expect(session.backoff.factorPercent == 200)
        #expect(session.backoff.jitter == .full)
        #expect(session.retry.retryAfterMax == .seconds(3600))
        #expect((UInt16(100)...4999).allSatisfy { !session.retry.finalCodes.contains($0) && !session.retry.retryCodes.contains($0) })
        #expect(session.gate.failuresMax == plain.gate.failuresMax)
        #expect(session.gate.window == plain.gate.window)
        #expect(session.gate.openFor == plain.gate.openFor)
        #expect(session.gate.attemptsPerMinuteMax == 0)
        #expect(session.beforeConnectTimeout == .seconds(10))
        #expect(session.scriptTimeout == .seconds(10))
        #expect(session.rotateAfter == nil)
        #expect(session.rotateOnNotice == .rule)
        #expect(session.duplicateKey == nil)
        #expect(session.watchesNetwork)
    }

    @Test func takesWhatIsSet() throws {
        let session = try session([
            ("reconnect.factor_percent", "150"), ("reconnect.final_codes", "503, 4000"), ("reconnect.retry_codes", "401"),
            ("reconnect.retry_after_max", "5m"), ("circuit.failures_max", "7"), ("circuit.window", "2m"), ("circuit.open_for", "3s"),
            ("attempts.per_minute_max", "60"), ("before_connect.timeout", "4s"), ("script.timeout", "6s"), ("rotate.after", "23h"),
            ("rotate.on_notice", "all"), ("rotate.duplicate_key", "/data/id"), ("network.watch", "false"),
        ])
        #expect(session.backoff.factorPercent == 150)
        #expect(session.retry.finalCodes.contains(503) && session.retry.finalCodes.contains(4000))
        #expect(session.retry.retryCodes.contains(401) && !session.retry.retryCodes.contains(403))
        #expect(session.retry.retryAfterMax == .seconds(300))
        #expect(session.gate.failuresMax == 7)
        #expect(session.gate.window == .seconds(120))
        #expect(session.gate.openFor == .seconds(3))
        #expect(session.gate.attemptsPerMinuteMax == 60)
        #expect(session.beforeConnectTimeout == .seconds(4))
        #expect(session.scriptTimeout == .seconds(6))
        #expect(session.rotateAfter == .seconds(23 * 3600))
        #expect(session.rotateOnNotice == .all)
        #expect(session.duplicateKey != nil)
        #expect(!session.watchesNetwork)
    }

    @Test(arguments: [("full", .full), ("equal", .equal), ("quarter", .quarter), ("none", .none)] as [(String, Backoff.Jitter)])
    func takesJitter(word: String, jitter: Backoff.Jitter) throws {
        #expect(try session([("reconnect.jitter", word)]).backoff.jitter == jitter)
    }

    @Test(arguments: [("off", .off), ("rule", .rule), ("all", .all)] as [(String, RotationNotice)])
    func takesNotices(word: String, notice: RotationNotice) throws {
        #expect(try session([("rotate.on_notice", word)]).rotateOnNotice == notice)
    }

    @Test(
        arguments: [
            (
                "reconnect.final_codes", "401,foo",
                "property 'reconnect.final_codes' takes HTTP statuses (100 to 599) and close codes (1000 to 4999) separated by commas, "
                    + "not 'foo'"
            ),
            ("reconnect.retry_codes", "401,401", "property 'reconnect.retry_codes' has 401 twice"),
            (
                "rotate.duplicate_key", "data.id",
                "property 'rotate.duplicate_key' is no path of a JSON member: a path must begin with a slash, as in /data/id; "
                    + "the empty path means the whole document"
            ),
        ] as [(String, String, String)])
    func saysWhatIsWrong(name: String, value: String, message: String) {
        let error = refusal([(name, value)])
        #expect(error?.status == hw_status(HW_E_VALUE))
        #expect(error?.message == message)
    }

    @Test func findsACodeThatIsFinalAndNot() {
        let error = refusal([("reconnect.final_codes", "4000,1001"), ("reconnect.retry_codes", "1001")])
        #expect(error?.status == hw_status(HW_E_CONFLICT))
        #expect(error?.message == "code 1001 is in both reconnect.final_codes and reconnect.retry_codes; leave it out of one of them")
    }
}
