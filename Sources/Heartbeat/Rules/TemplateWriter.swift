import WebSocket

/// Where templates get what is in no message.
package protocol TemplateValues {
    /// The next `${counter}`; all of one body are the same.
    var counter: Int64 { get }
    var unixMilliseconds: Int64 { get }
    /// The counter was used in a body that is sent.
    mutating func advanceCounter()
    mutating func appendUUID(to text: inout [UInt8])
    mutating func appendRandom(to text: inout [UInt8])
    /// A learned value or a parameter as it is to be written; nil if there is none.
    func learned(_ variable: Int) -> [UInt8]?
}

/// The values that a body carries and its ack may repeat.
package struct PendingValues: Equatable {
    package var counter: Int64?
    package var unixMilliseconds: Int64?
    package var uuid: [UInt8]?
    package var random: [UInt8]?

    package init() {}

    @inline(never)
    package func text(of value: PendingValue) -> [UInt8]? {
        switch value {
        case .counter: counter.map { "\($0)".bytes }
        case .unixMilliseconds: unixMilliseconds.map { "\($0)".bytes }
        case .uuid: uuid
        case .random: random
        }
    }
}

/// Writes what a rule sends.
package enum TemplateWriter {
    package static let sizeMax = 64 << 10

    /// Puts the body in place of what `body` holds and gives the values in it. Nil, with an empty body and the counter as it was, if there
    /// is nothing to send: something is missing, or the body is too long, or it is to be text and is not UTF-8.
    package static func write(
        _ send: SendRule, _ captured: Captured, _ values: inout some TemplateValues, into body: inout [UInt8]
    ) -> PendingValues? {
        body.removeAll(keepingCapacity: true)
        var used = PendingValues()
        guard append(send.body.pieces, captured, &values, &used, to: &body), finish(send, &body) else {
            body.removeAll(keepingCapacity: true)
            return nil
        }
        if used.counter != nil { values.advanceCounter() }
        return used
    }

    private static func finish(_ send: SendRule, _ body: inout [UInt8]) -> Bool {
        if send.wrapsTradingView { TradingViewRecord.wrap(&body) }
        switch send.opcode {
        case .text: return body.count <= sizeMax && body.withUnsafeBytes { UTF8Validator.isValid($0) }
        case .binary: return body.count <= sizeMax
        case .ping: return body.count <= RuleLimit.pingSize
        }
    }

    /// False if the body cannot be sent.
    private static func append(
        _ pieces: [Template.Piece], _ captured: Captured, _ values: inout some TemplateValues, _ used: inout PendingValues,
        to body: inout [UInt8]
    ) -> Bool {
        for piece in pieces {
            if case .section(let capture, let inner) = piece {
                guard captured.view(capture) == nil || append(inner, captured, &values, &used, to: &body) else { return false }
            } else {
                guard append(piece, captured, &values, &used, to: &body) else { return false }
            }
        }
        return true
    }

    private static func append(
        _ piece: Template.Piece, _ captured: Captured, _ values: inout some TemplateValues, _ used: inout PendingValues,
        to body: inout [UInt8]
    ) -> Bool {
        switch piece {
        case .literal(let bytes): return append(bytes, to: &body)
        case .captured(let capture): return append(captured.view(capture), to: &body)
        case .payload: return append(captured.payload, to: &body)
        case .counter:
            used.counter = values.counter
            return append("\(values.counter)".bytes, to: &body)
        case .unixSeconds: return append("\(values.unixMilliseconds / 1000)".bytes, to: &body)
        case .unixMilliseconds:
            used.unixMilliseconds = values.unixMilliseconds
            return append("\(values.unixMilliseconds)".bytes, to: &body)
        case .dateTime: return append(CalendarTime.text(unixMilliseconds: values.unixMilliseconds), to: &body)
        case .uuid: return append(drawn(&used.uuid) { values.appendUUID(to: &$0) }, to: &body)
        case .random: return append(drawn(&used.random) { values.appendRandom(to: &$0) }, to: &body)
        case .last(let variable, let fallback): return append(values.learned(variable) ?? fallback, to: &body)
        case .section: return true
        }
    }

    /// The value that this body has already, or a new one.
    private static func drawn(_ value: inout [UInt8]?, _ draw: (inout [UInt8]) -> Void) -> [UInt8] {
        if let value { return value }
        var text: [UInt8] = []
        draw(&text)
        value = text
        return text
    }

    private static func append(_ bytes: (some Collection<UInt8>)?, to body: inout [UInt8]) -> Bool {
        guard let bytes, body.count + bytes.count <= sizeMax else { return false }
        body.append(contentsOf: bytes)
        return true
    }
}
