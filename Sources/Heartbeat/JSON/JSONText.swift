import WebSocket

/// A text that should be a JSON document (RFC 8259): what its tokens are and where they end. Grammar above tokens is for those who walk it.
///
/// An index never passes `count`: behind the end stands NUL for whoever looks, which no rule of the grammar takes.
struct JSONText {
    private let base: UnsafeRawPointer
    let count: Int

    /// More containers than this within one another are refused, so that what walks a text needs a fixed place only.
    static let depthMax = 64

    /// Nil if there is nothing, which is no document.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress else { return nil }
        self.base = base
        count = bytes.count
    }

    subscript(index: Int) -> UInt8 {
        index < count ? base.load(fromByteOffset: index, as: UInt8.self) : 0
    }

    func bytes(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: base + start, count: end &- start)
    }

    /// The error at a place that does not hold what must stand there.
    func error(_ problem: JSONSyntaxError.Problem, at index: Int) -> JSONSyntaxError {
        JSONSyntaxError(offset: index, problem: index < count ? problem : .unfinished)
    }

    /// The index of the first byte at or after `start` that is no whitespace (section 2).
    @_optimize(speed)
    func skipWhitespace(from start: Int) -> Int {
        var index = start
        while self[index] <= 0x20, Self.isWhitespace(self[index]) { index &+= 1 }
        return index
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    /// What kind of value begins here (section 3).
    @_optimize(speed)
    func kind(at index: Int) throws(JSONSyntaxError) -> JSONKind {
        switch self[index] {
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        default: throw error(.value, at: index)
        }
    }

    /// The index behind the value of this kind that begins here and has no values in it.
    @_optimize(speed)
    func endOfScalar(_ kind: JSONKind, at start: Int) throws(JSONSyntaxError) -> Int {
        switch kind {
        case .string: try endOfString(at: start)
        case .number: try endOfNumber(at: start)
        case .null: try endOfLiteral("null", at: start)
        case .bool: try endOfLiteral(isTrue(at: start) ? "true" : "false", at: start)
        case .array, .object: throw error(.value, at: start)
        }
    }

    /// Which of the two a boolean is.
    func isTrue(at index: Int) -> Bool { self[index] == UInt8(ascii: "t") }

    private func endOfLiteral(_ literal: StaticString, at start: Int) throws(JSONSyntaxError) -> Int {
        var index = start
        for offset in 0..<literal.utf8CodeUnitCount {
            guard self[index] == literal.utf8Start[offset] else { throw error(.literal, at: index) }
            index &+= 1
        }
        return index
    }

    /// Section 6.
    @_optimize(speed)
    private func endOfNumber(at start: Int) throws(JSONSyntaxError) -> Int {
        var index = start
        if self[index] == UInt8(ascii: "-") { index &+= 1 }
        index = self[index] == UInt8(ascii: "0") ? index &+ 1 : try endOfDigits(at: index)
        if self[index] == UInt8(ascii: ".") { index = try endOfDigits(at: index &+ 1) }
        if self[index] | 0x20 == UInt8(ascii: "e") {
            index &+= 1
            if self[index] == UInt8(ascii: "+") || self[index] == UInt8(ascii: "-") { index &+= 1 }
            index = try endOfDigits(at: index)
        }
        return index
    }

    private func endOfDigits(at start: Int) throws(JSONSyntaxError) -> Int {
        var index = start
        while Self.isDigit(self[index]) { index &+= 1 }
        guard index > start else { throw error(.digit, at: index) }
        return index
    }

    static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        guard let text = JSONText(text) else { return false }
        do throws(JSONSyntaxError) {
            return try text.endOfNumber(at: 0) == text.count
        } catch {
            return false
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    /// The index behind the closing quote (section 7). Bytes from 0x80 on are taken as they are, UTF-8 or not.
    @_optimize(speed)
    func endOfString(at quote: Int) throws(JSONSyntaxError) -> Int {
        var index = quote &+ 1
        while true {
            index = endOfPlainRun(from: index)
            switch self[index] {
            case UInt8(ascii: "\""): return index &+ 1
            case UInt8(ascii: "\\"): index = try endOfEscape(at: index)
            default: throw error(.controlCharacter, at: index)
            }
        }
    }

    /// The index of the first byte at or after `start` that is a quote, a backslash or a control character. Eight bytes a step: most of a
    /// message is strings.
    @_optimize(speed)
    private func endOfPlainRun(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highBits = ones &* 0x80
        var index = start
        while index &+ 8 <= count {
            // The first byte of the text is the lowest, whatever the machine's byte order. A subtraction borrows from above only, so the
            // lowest mark is always right.
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let quotes = word ^ (ones &* 0x22)
            let backslashes = word ^ (ones &* 0x5C)
            let zeros = (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes
            let marks = (zeros | (word &- ones &* 0x20) & ~word) & highBits
            if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count {
            let byte = self[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            index &+= 1
        }
        return index
    }

    private func endOfEscape(at backslash: Int) throws(JSONSyntaxError) -> Int {
        let letter = backslash &+ 1
        guard self[letter] == UInt8(ascii: "u") else {
            guard JSONString.escaped(self[letter]) != nil else { throw error(.escape, at: letter) }
            return letter &+ 1
        }
        for index in letter &+ 1..<letter &+ 5 where ASCII.hexDigit(self[index]) == nil {
            throw error(.hexDigit, at: min(index, count))
        }
        return letter &+ 5
    }
}
