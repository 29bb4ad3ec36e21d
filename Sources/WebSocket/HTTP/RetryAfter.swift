/// Retry-After (RFC 9110 section 10.2.3): how long a server asks to be left alone, as seconds, as a date in one of three forms (section
/// 5.6.7), or, as some services send it, as unix time.
package enum RetryAfter {
    /// No one asks to be left alone for thirty years: a larger number is a date.
    private static let delayMax: UInt64 = 1_000_000_000
    /// The last second of the year 9999.
    private static let unixTimeMax: UInt64 = 253_402_300_799

    /// The delay from `unixTime`, the present in seconds since 1970; 0 for a date that has passed, nil for what is neither delay nor date.
    package static func milliseconds(_ value: ArraySlice<UInt8>, unixTime now: Int64) -> UInt64? {
        if let number = ASCII.decimal(value, max: unixTimeMax) {
            return number <= delayMax ? number * 1000 : delay(until: Int64(number), now)
        }
        // However long: whoever heeds it has a limit of its own.
        if !value.isEmpty && value.allSatisfy({ (0x30...0x39).contains($0) }) { return delayMax * 1000 }
        return date(value, now).map { delay(until: $0, now) }
    }

    private static func delay(until date: Int64, _ now: Int64) -> UInt64 {
        // No clock is right that shows a time before 1970; and the difference fits, however wrong it is.
        UInt64(max(0, date - min(max(0, now), date))) * 1000
    }

    private static let months: [StaticString] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let days: [StaticString] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let longDays: [StaticString] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

    /// The unix time of a date. Its day of the week must be one, but need not be the right one.
    private static func date(_ text: ArraySlice<UInt8>, _ now: Int64) -> Int64? {
        let parts = ASCII.split(text, at: 0x20).filter { !$0.isEmpty }
        switch parts.count {
        case 6:
            // Sun, 06 Nov 1994 08:49:37 GMT
            guard isName(parts[0], among: days, with: 0x2C), parts[1].count == 2, isGMT(parts[5]) else { return nil }
            return seconds(year: number(parts[3], size: 4), month: parts[2], day: parts[1], time: parts[4])
        case 4:
            // Sunday, 06-Nov-94 08:49:37 GMT
            let date = ASCII.split(parts[1], at: 0x2D)
            guard isName(parts[0], among: longDays, with: 0x2C), date.count == 3, date[0].count == 2, isGMT(parts[3]) else { return nil }
            let year = number(date[2], size: 2).map { fullYear($0, now) }
            return seconds(year: year, month: date[1], day: date[0], time: parts[2])
        case 5:
            // Sun Nov  6 08:49:37 1994
            guard isName(parts[0], among: days, with: nil) else { return nil }
            return seconds(year: number(parts[4], size: 4), month: parts[1], day: parts[2], time: parts[3])
        default:
            return nil
        }
    }

    /// A year of two digits that seems more than 50 years ahead is the last one that ended so (RFC 9110 section 5.6.7).
    private static func fullYear(_ twoDigits: Int64, _ now: Int64) -> Int64 {
        let secondsPerYear: Int64 = 31_556_952
        let thisYear = 1970 + min(max(0, now / secondsPerYear), 8029)
        let year = thisYear - thisYear % 100 + twoDigits
        return year > thisYear + 50 ? year - 100 : year
    }

    private static func seconds(
        year: Int64?, month: ArraySlice<UInt8>, day: ArraySlice<UInt8>, time: ArraySlice<UInt8>
    ) -> Int64? {
        guard let year, year >= 1970, let month = months.firstIndex(where: { isName(month, $0) }).map({ Int64($0) + 1 }),
            let day = ASCII.decimal(day, max: 31).map({ Int64($0) }), day >= 1, day <= daysOf(month, year)
        else { return nil }
        let clock = ASCII.split(time, at: 0x3A)
        guard clock.count == 3, let hour = number(clock[0], size: 2), let minute = number(clock[1], size: 2),
            let second = number(clock[2], size: 2), hour <= 23, minute <= 59, second <= 60
        else { return nil }
        return ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second
    }

    private static func daysOf(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// In the proleptic Gregorian calendar, with years that begin in March so that the leap day comes last.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    private static func number(_ text: ArraySlice<UInt8>, size: Int) -> Int64? {
        text.count == size ? ASCII.decimal(text, max: 9999).map { Int64($0) } : nil
    }

    private static func isGMT(_ text: ArraySlice<UInt8>) -> Bool { isName(text, "GMT") }

    /// HTTP-dates are case-sensitive.
    private static func isName(_ text: ArraySlice<UInt8>, _ name: StaticString) -> Bool { text.elementsEqual(ASCII.bytes(name)) }

    private static func isName(_ text: ArraySlice<UInt8>, among names: [StaticString], with suffix: UInt8?) -> Bool {
        if let suffix, text.last != suffix { return false }
        let bare = suffix == nil ? text : text.dropLast()
        return names.contains { isName(bare, $0) }
    }
}
