import CHeartwire
import Session
import WebSocket

/// What the host answers before an attempt (hw_attempt), checked and made into what the session goes by.
enum AttemptAnswer {
    /// Of a refusal's text no more is kept.
    private static let failureSizeMax = 1024

    static func prepared(_ attempt: UnsafePointer<hw_attempt>?, _ plan: ConnectionPlan) throws(ErrorDetails) -> PreparedAttempt {
        guard let attempt else { return PreparedAttempt(configuredFields: plan.session.headerFields) }
        guard attempt.pointee.struct_size >= UInt32(MemoryLayout<hw_attempt>.size) else {
            throw .argument("struct_size must be set to sizeof(hw_attempt)")
        }
        if let failure = Arguments.text(attempt.pointee.failure) {
            return PreparedAttempt(failure: [UInt8](failure.prefix(failureSizeMax)))
        }
        let url = try url(attempt.pointee.url)
        let fields = try fields(attempt)
        var settings = plan.settings
        for field in fields { settings.headers.removeAll(named: field.name) }
        let configured = settings.headers.lines
        // The limits are for all of them together.
        for field in fields { try settings.headers.add(name: field.name, value: field.value) }
        return PreparedAttempt(
            url: url, configuredFields: configured + (try authorization(fields, url, settings, plan)),
            ownFields: Array(settings.headers.lines.dropFirst(configured.count)))
    }

    private static func url(_ text: UnsafePointer<CChar>?) throws(ErrorDetails) -> URL? {
        guard let text = Arguments.text(text) else { return nil }
        do throws(URLError) {
            return try URL(parsing: text)
        } catch {
            throw ErrorDetails(error)
        }
    }

    /// What the user name of the URL or of the configuration makes of itself, unless a field of the answer's takes its place.
    private static func authorization(
        _ fields: [(name: [UInt8], value: [UInt8])], _ url: URL?, _ settings: Config.Settings, _ plan: ConnectionPlan
    ) throws(ErrorDetails) -> [[UInt8]] {
        guard fields.contains(where: { ASCII.equalsIgnoringCase($0.name, "authorization") }) else {
            return try ConnectionPlan.authorization(settings, url ?? plan.session.url)
        }
        if url?.credentials != nil {
            throw ConnectionPlan.conflict("there is an Authorization header beside the URL's user name; give one of them")
        }
        return []
    }

    private static func fields(_ attempt: UnsafePointer<hw_attempt>) throws(ErrorDetails) -> [(name: [UInt8], value: [UInt8])] {
        let count = Int(attempt.pointee.header_count)
        guard count > 0 else { return [] }
        guard let names = attempt.pointee.header_names, let values = attempt.pointee.header_values else {
            throw .argument("header_names or header_values is NULL")
        }
        guard count <= HeaderFields.countMax else {
            throw ErrorDetails(HW_E_TOO_LARGE, HW_LAYER_CONFIGURATION, "at most \(HeaderFields.countMax) header fields are allowed")
        }
        var fields: [(name: [UInt8], value: [UInt8])] = []
        for index in 0..<count {
            guard let name = Arguments.text(names[index]), let value = Arguments.text(values[index]) else {
                throw .argument("the header field at index \(index) has no name or no value")
            }
            fields.append((name, value))
        }
        return fields
    }
}
