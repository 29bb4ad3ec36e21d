import WebSocket

/// A moment of the calendar in UTC, read from ISO 8601 text in the form of RFC 3339. Beyond that RFC it may have a space for the `T`, no
/// seconds, a comma before the fraction, an offset without colon or minutes, or none at all, which means UTC.
package struct CalendarTime {
    private var seconds: Int64 = 0
    private var nanoseconds: Int64 = 0

    /// Nil if the text is anything else, or a date or time that does not exist.
    init?(_ text: UnsafeRawBufferPointer) {
        var cursor = TextCursor(text)
        guard let day = Self.takeDay(&cursor) else { return nil }
        guard cursor.take(0x54) || cursor.take(0x74) || cursor.take(0x20) else { return nil }
        guard let hour = cursor.takeDigits(2), hour < 24, cursor.take(0x3A) else { return nil }
        guard let minute = cursor.takeDigits(2), minute < 60 else { return nil }
        var second = 0
        if cursor.take(0x3A) {
            guard let written = cursor.takeDigits(2), written <= 60 else { return nil }
            second = written
            if cursor.take(0x2E) || cursor.take(0x2C) {
                guard let fraction = Self.takeFraction(&cursor) else { return nil }
                nanoseconds = fraction
            }
        }
        guard let offset = Self.takeOffset(&cursor), cursor.isAtEnd else { return nil }
        seconds = Int64(day * 86_400 + hour * 3600 + minute * 60 + second - offset)
        // A leap second ends a day of UTC, and has the number of the second after it.
        if second == 60 && seconds % 86_400 != 0 { return nil }
    }

    /// `2026-11-22T01:02:03.456+00:00`. Years before 0 and after 9999, which this form has no digits for, are written as those.
    package static func text(unixMilliseconds: Int64) -> [UInt8] {
        let written = min(max(unixMilliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let (day, millisecond) = Self.divided(Int(written), by: 86_400_000)
        // As in `takeDay`: days since the first of March of the year 0, and years that begin in March.
        let (era, dayOfEra) = Self.divided(day + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        var text: [UInt8] = []
        append(era * 400 + yearOfEra + (month <= 2 ? 1 : 0), digits: 4, before: 0x2D, to: &text)
        append(month, digits: 2, before: 0x2D, to: &text)
        append(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, digits: 2, before: 0x54, to: &text)
        append(millisecond / 3_600_000, digits: 2, before: 0x3A, to: &text)
        append(millisecond / 60_000 % 60, digits: 2, before: 0x3A, to: &text)
        append(millisecond / 1000 % 60, digits: 2, before: 0x2E, to: &text)
        append(millisecond % 1000, digits: 3, before: 0x2B, to: &text)
        return text + ASCII.bytes("00:00")
    }

    /// Rounded down.
    private static func divided(_ number: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
        let remainder = (number % divisor + divisor) % divisor
        return ((number - remainder) / divisor, remainder)
    }

    private static func append(_ number: Int, digits: Int, before separator: UInt8, to text: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            text.append(0x30 + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
        text.append(separator)
    }

    /// Since 1970; nil if 64 bits cannot hold it.
    var unixNanoseconds: Int64? {
        let (whole, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLate) = whole.addingReportingOverflow(nanoseconds)
        return isTooLarge || isTooLate ? nil : sum
    }

    /// The number of a day since 1970.
    private static func takeDay(_ cursor: inout TextCursor) -> Int? {
        guard let year = cursor.takeDigits(4), cursor.take(0x2D) else { return nil }
        guard let month = cursor.takeDigits(2), (1...12).contains(month), cursor.take(0x2D) else { return nil }
        guard let day = cursor.takeDigits(2), day >= 1, day <= lastDay(of: month, in: year) else { return nil }
        // Years that begin in March have the leap day last. The months from March on have 31, 30, 31, 30, 31 days again and again.
        let shiftedYear = month > 2 ? year : year - 1
        let shiftedMonth = month > 2 ? month - 3 : month + 9
        let leapDays = shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
        // Day 0 of this count is the first of March of the year 0, 719,468 days before 1970.
        return shiftedYear * 365 + leapDays + (shiftedMonth * 153 + 2) / 5 + day - 1 - 719_468
    }

    private static func lastDay(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// In nanoseconds; further digits are dropped.
    private static func takeFraction(_ cursor: inout TextCursor) -> Int64? {
        guard var digit = cursor.takeDigit() else { return nil }
        var value: Int64 = 0
        var unit: Int64 = 100_000_000
        while true {
            value += Int64(digit) * unit
            unit /= 10
            guard let next = cursor.takeDigit() else { return value }
            digit = next
        }
    }

    /// In seconds, positive east of Greenwich.
    private static func takeOffset(_ cursor: inout TextCursor) -> Int? {
        if cursor.isAtEnd || cursor.take(0x5A) || cursor.take(0x7A) { return 0 }
        let isWest = cursor.take(0x2D)
        guard isWest || cursor.take(0x2B), let hours = cursor.takeDigits(2), hours < 24 else { return nil }
        var minutes = 0
        if !cursor.isAtEnd {
            _ = cursor.take(0x3A)
            guard let written = cursor.takeDigits(2), written < 60 else { return nil }
            minutes = written
        }
        let offset = hours * 3600 + minutes * 60
        return isWest ? -offset : offset
    }
}
