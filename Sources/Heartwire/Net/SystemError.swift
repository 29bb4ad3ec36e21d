import CSystem

/// The system's own words for an errno.
func systemErrorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    let capacity = buffer.count
    hws_error_text(code, &buffer, capacity)
    return String(terminated: buffer)
}

extension String {
    /// The text before the first NUL of a buffer that C has filled.
    init(terminated buffer: [CChar]) {
        self.init(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
