import CHeartwire
import Heartbeat
import Session
import WebSocket

/// The properties of reconnecting and of rotation made into what the session runs on.
enum LifePlan {
    static func configure(_ session: SessionConfiguration, _ settings: Config.Settings) throws(ErrorDetails) {
        @inline(never)
        func interval(_ id: PropertyId) -> Interval { .milliseconds(settings.number(id)) }
        func count(_ id: PropertyId) -> Int { Int(clamping: settings.number(id)) }
        session.reconnects = settings.boolean(.reconnectEnabled)
        session.backoff = Backoff.Configuration(
            base: interval(.reconnectBase), cap: interval(.reconnectCap), factorPercent: count(.reconnectFactor),
            jitter: Backoff.Jitter(rawValue: settings.choice(.reconnectJitter)) ?? .full, attemptsMax: count(.reconnectAttemptsMax))
        session.stableAfter = interval(.reconnectStableAfter)
        session.retry.finalCodes = try codes(settings, .reconnectFinalCodes)
        session.retry.retryCodes = try codes(settings, .reconnectRetryCodes)
        if let code = session.retry.finalCodes.firstShared(with: session.retry.retryCodes) {
            let sentence = "code \(code) is in both reconnect.final_codes and reconnect.retry_codes; leave it out of one of them"
            throw ErrorDetails(HW_E_CONFLICT, HW_LAYER_CONFIGURATION, sentence)
        }
        session.retry.retryAfterMax = interval(.reconnectRetryAfterMax)
        session.gate.failuresMax = count(.circuitFailuresMax)
        session.gate.window = interval(.circuitWindow)
        session.gate.openFor = interval(.circuitOpenFor)
        session.gate.attemptsPerMinuteMax = count(.attemptsPerMinuteMax)
        session.beforeConnectTimeout = interval(.beforeConnectTimeout)
        session.scriptTimeout = interval(.scriptTimeout)
        session.rotateAfter = settings.number(.rotateAfter) == 0 ? nil : interval(.rotateAfter)
        session.rotateLinger = interval(.rotateLinger)
        session.rotateOnNotice = RotationNotice(rawValue: settings.choice(.rotateOnNotice)) ?? .rule
        session.duplicateKey = try duplicateKey(settings)
        session.watchesNetwork = settings.boolean(.networkWatch)
    }

    private static func codes(_ settings: Config.Settings, _ id: PropertyId) throws(ErrorDetails) -> RetryCodes {
        do throws(RetryCodesError) {
            return try RetryCodes(parsing: settings.bytes(id))
        } catch {
            throw value(id, error.sentence)
        }
    }

    private static func duplicateKey(_ settings: Config.Settings) throws(ErrorDetails) -> DuplicateKey? {
        let key = settings.bytes(.rotateDuplicateKey)
        guard !key.isEmpty else { return nil }
        do throws(JSONPointerError) {
            return try DuplicateKey(key)
        } catch {
            throw value(.rotateDuplicateKey, "is no path of a JSON member: \(error.sentence)")
        }
    }

    private static func value(_ id: PropertyId, _ sentence: String) -> ErrorDetails {
        ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property '\(PropertyTable.property(id).name)' \(sentence)")
    }
}
