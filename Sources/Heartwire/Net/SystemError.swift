import CSystem

/// The system's own words for an errno.
func systemErrorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    let capacity = buffer.count
    hws_error_text(code, &buffer, capacity)
    return String(cString: buffer)
}
