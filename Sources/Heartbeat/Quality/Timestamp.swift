/// How a message tells the time.
package enum TimestampUnit: UInt8 {
    case iso8601
    case seconds
    case milliseconds
    case microseconds
    case nanoseconds
}

/// A server's timestamp, read from a captured value.
package enum Timestamp {
    /// Nanoseconds since 1970, finer digits dropped; nil if the text is no such time, or one that 64 bits cannot hold. `text` is JSON or
    /// plain text: one pair of quotes around it is ignored. A JSON string with escapes is no timestamp.
    package static func unixNanoseconds(_ text: UnsafeRawBufferPointer, _ unit: TimestampUnit) -> Int64? {
        var text = text
        if text.count >= 2 && text.first == 0x22 && text.last == 0x22 { text = .init(rebasing: text[1..<text.count - 1]) }
        return switch unit {
        case .iso8601: CalendarTime(text)?.unixNanoseconds
        case .seconds: DecimalText(text)?.value(timesTenTo: 9)
        case .milliseconds: DecimalText(text)?.value(timesTenTo: 6)
        case .microseconds: DecimalText(text)?.value(timesTenTo: 3)
        case .nanoseconds: DecimalText(text)?.value(timesTenTo: 0)
        }
    }
}
