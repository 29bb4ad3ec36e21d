import WebSocket

/// A record of TradingView's data socket: `~m~LENGTH~m~` and a text of that length, counted in UTF-16 code units as a script in a browser
/// counts it.
enum TradingViewRecord {
    private static let mark: [UInt8] = [0x7E, 0x6D, 0x7E]
    private static let digitsMax = 9

    static func wrap(_ text: inout [UInt8]) {
        let length = text.reduce(0) { $0 &+ units($1) }
        text.insert(contentsOf: mark + "\(length)".bytes + mark, at: 0)
    }

    /// The text of the record that begins at `start`; nil if none does, or if it is not all there.
    static func text(in message: UnsafeRawBufferPointer, at start: Int) -> Range<Int>? {
        guard message[start...].starts(with: mark) else { return nil }
        let digits = message[(start &+ mark.count)...].prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard digits.count <= digitsMax, let length = ASCII.decimal(digits, max: UInt64(Int32.max)) else { return nil }
        guard message[digits.endIndex...].starts(with: mark) else { return nil }
        let textStart = digits.endIndex &+ mark.count
        guard let end = end(of: Int(length), in: message, from: textStart) else { return nil }
        return textStart..<end
    }

    private static func end(of length: Int, in message: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var left = length
        var position = start
        while position < message.count {
            let units = units(message[position])
            if left == 0, units > 0 { break }
            left &-= units
            position &+= 1
        }
        return left == 0 ? position : nil
    }

    /// How many UTF-16 code units the character has that begins with this byte of UTF-8; none if the byte only continues one.
    private static func units(_ byte: UInt8) -> Int {
        switch byte {
        case 0x80...0xBF: 0
        case 0xF0...: 2
        default: 1
        }
    }
}
