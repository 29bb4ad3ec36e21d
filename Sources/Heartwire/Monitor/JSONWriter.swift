import Heartbeat
import WebSocket

/// Writes JSON (RFC 8259), with the commas where they belong.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var isBehindValue = false

    private static let hexDigits = ASCII.bytes("0123456789abcdef")

    mutating func beginObject() { begin(0x7B) }
    mutating func beginArray() { begin(0x5B) }
    mutating func endObject() { end(0x7D) }
    mutating func endArray() { end(0x5D) }

    /// Of the member whose value follows.
    @inline(never)
    mutating func name(_ name: StaticString) {
        string(ASCII.bytes(name))
        bytes.append(0x3A)
        isBehindValue = false
    }

    /// `text` is UTF-8.
    @inline(never)
    mutating func string(_ text: [UInt8]) {
        beginValue()
        bytes.append(0x22)
        for byte in text {
            if byte < 0x20 || byte == 0x7F {
                bytes += ASCII.bytes("\\u00") + [Self.hexDigits[Int(byte >> 4)], Self.hexDigits[Int(byte & 0x0F)]]
            } else {
                if byte == 0x22 || byte == 0x5C { bytes.append(0x5C) }
                bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }

    /// Nil is null.
    @inline(never)
    mutating func number(_ number: UInt64?) {
        beginValue()
        bytes += number.map { String($0).bytes } ?? ASCII.bytes("null")
    }

    /// In milliseconds, to the microsecond. Nil is null, and less than nothing is nothing.
    @inline(never)
    mutating func milliseconds(_ interval: Interval?) {
        guard let interval else { return number(nil) }
        let microseconds = UInt64(max(0, interval.nanoseconds)) / 1000
        number(microseconds / 1000)
        guard microseconds % 1000 > 0 else { return }
        bytes.append(0x2E)
        bytes += String(1000 + microseconds % 1000).bytes.dropFirst()
    }

    private mutating func begin(_ bracket: UInt8) {
        beginValue()
        bytes.append(bracket)
        isBehindValue = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        isBehindValue = true
    }

    private mutating func beginValue() {
        if isBehindValue { bytes.append(0x2C) }
        isBehindValue = true
    }
}
