import CHeartwire
import Session
import WebSocket

/// What the host answers before an attempt (hw_attempt), checked and made into what the session goes by.
enum AttemptAnswer {
    /// Of a refusal's text no more is kept.
    private static let failureSizeMax = 1024

    static func prepared(_ attempt: UnsafePointer<hw_attempt>?, _ plan: ConnectionPlan) throws(ErrorDetails) -> PreparedAttempt {
        guard let attempt else { return PreparedAttempt(url: nil, headerFields: plan.session.headerFields, failure: nil) }
        guard attempt.pointee.struct_size >= UInt32(MemoryLayout<hw_attempt>.size) else {
            throw .argument("struct_size must be set to sizeof(hw_attempt)")
        }
        if let failure = Arguments.text(attempt.pointee.failure) {
            return PreparedAttempt(url: nil, headerFields: [], failure: [UInt8](failure.prefix(failureSizeMax)))
        }
        let url = try url(attempt.pointee.url)
        return PreparedAttempt(url: url, headerFields: try headerFields(attempt, url, plan), failure: nil)
    }

    private static func url(_ text: UnsafePointer<CChar>?) throws(ErrorDetails) -> URL? {
        guard let text = Arguments.text(text) else { return nil }
        do throws(URLError) {
            return try URL(parsing: text)
        } catch {
            throw ErrorDetails(error)
        }
    }

    /// The configured fields, without those that the answer has of the same name, then the answer's. One that authorizes takes the place of a
    /// configured user name too.
    private static func headerFields(
        _ attempt: UnsafePointer<hw_attempt>, _ url: URL?, _ plan: ConnectionPlan
    ) throws(ErrorDetails) -> [[UInt8]] {
        var settings = plan.settings
        let fields = try fields(attempt)
        for field in fields { settings.headers.removeAll(named: field.name) }
        for field in fields { try settings.headers.add(name: field.name, value: field.value) }
        guard fields.contains(where: { ASCII.equalsIgnoringCase($0.name, "authorization") }) else {
            return settings.headers.lines + (try ConnectionPlan.authorization(settings, url ?? plan.session.url))
        }
        if url?.credentials != nil {
            throw ConnectionPlan.conflict("there is an Authorization header beside the URL's user name; give one of them")
        }
        return settings.headers.lines
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
