import WebSocket

/// Splits the messages of one connection into units, without copying or allocating. Units without bytes are left out.
///
/// `begin` with each message, then `next` until it gives nil. MQTT packets may go on in the next message (MQTT 3.1.1 section 6), so a
/// little of that stream is kept between messages; all other units end with their message.
package struct UnitSplitter {
    private let split: UnitSplit?
    private var packets: PacketStream?
    private var message = UnsafeRawBufferPointer(start: nil, count: 0)
    private var position = 0
    /// The message is one unit, which was not given yet.
    private var isWhole = false

    package init(_ split: UnitSplit?) {
        self.split = split
        if split == .mqtt { packets = PacketStream() }
    }

    /// The message must stay until `next` has given nil. Text is one unit where units are framed in binary.
    package mutating func begin(_ message: UnsafeRawBufferPointer, kind: MessageKind) {
        self.message = message
        position = 0
        isWhole =
            switch split {
            case nil: true
            case .varint, .mqtt: kind == .text
            case .lineFeed, .carriageReturnLineFeed, .recordSeparator, .tradingView: false
            }
    }

    /// A view that is valid until the next call.
    package mutating func next() -> UnsafeRawBufferPointer? {
        if isWhole {
            isWhole = false
            position = message.count
            return message
        }
        if packets != nil { return packets?.next(in: message, from: &position) }
        while position < message.count {
            // What is not framed as it should be has no units up to its end.
            guard let unit = unitAtPosition() else { break }
            if !unit.isEmpty { return UnsafeRawBufferPointer(rebasing: message[unit]) }
        }
        position = message.count
        return nil
    }

    /// Moves the position behind the unit.
    private mutating func unitAtPosition() -> Range<Int>? {
        switch split {
        case .lineFeed: return unit(endingWith: 0x0A)
        case .recordSeparator: return unit(endingWith: 0x1E)
        case .carriageReturnLineFeed: return line()
        case .tradingView:
            guard let text = TradingViewRecord.text(in: message, at: position) else { return nil }
            position = text.upperBound
            return text
        case .varint:
            guard case .value(let length, let size) = LittleEndianBase128.read(message, at: position, sizeMax: 5) else { return nil }
            let start = position &+ size
            guard length <= message.count &- start else { return nil }
            position = start &+ length
            return start..<position
        case .mqtt, nil: return nil
        }
    }

    /// Up to the separator, or to the end of the message, where it may be missing.
    private mutating func unit(endingWith separator: UInt8) -> Range<Int> {
        let start = position
        let end = message.position(of: separator, from: start)
        position = end &+ 1
        return start..<end
    }

    private mutating func line() -> Range<Int> {
        let start = position
        while true {
            let end = unit(endingWith: 0x0A).upperBound
            guard end < message.count else { return start..<message.count }
            if end > start, message[end &- 1] == 0x0D { return start..<(end &- 1) }
        }
    }
}

/// A length in groups of seven bits, the lowest first, each in a byte that says whether another follows (LEB128).
enum LittleEndianBase128 {
    enum Reading {
        case value(Int, size: Int)
        /// More bytes have to come.
        case incomplete
        case malformed
    }

    static func read(_ bytes: UnsafeRawBufferPointer, at start: Int, sizeMax: Int) -> Reading {
        var value = 0
        for index in 0..<sizeMax {
            guard start &+ index < bytes.count else { return .incomplete }
            let byte = bytes[start &+ index]
            value |= Int(byte & 0x7F) &<< (7 &* index)
            if byte & 0x80 == 0 { return .value(value, size: index &+ 1) }
        }
        return .malformed
    }
}
