/// The head of an HTTP/1.1 response (RFC 9112): status line and fields, bounded in bytes and lines.

package enum HTTPHeadError: Error, Equatable {
    case tooLarge
    case tooManyFields
    case malformedStatusLine
    case malformedField
}

package struct HTTPHead {
    package struct Field {
        package let name: [UInt8]
        package let value: ArraySlice<UInt8>
    }

    package let status: UInt16
    /// The minor version: HTTP/1.0 may refuse us, but not switch protocols.
    package let minorVersion: UInt8
    package let fields: [Field]

    package static let sizeMax = 65536
    package static let fieldsMax = 128

    /// Every value of a field, in order.
    package func values(_ name: StaticString) -> [ArraySlice<UInt8>] {
        fields.filter { ASCII.equalsIgnoringCase($0.name, name) }.map { $0.value }
    }

    /// True if a comma-separated field holds `token`, in any letter case.
    package func contains(_ token: StaticString, in name: StaticString) -> Bool {
        values(name).contains { ASCII.list($0).contains { ASCII.equalsIgnoringCase($0, token) } }
    }

    /// Parses a whole head, the empty line included. Lines end in CRLF; folded lines, spaces before the colon and control characters are
    /// refused, as RFC 9112 sections 2.2 and 5 allow a recipient that cannot tell what was meant.
    package init(parsing bytes: [UInt8]) throws(HTTPHeadError) {
        var lines = Self.lines(bytes)[...]
        guard let first = lines.popFirst() else { throw .malformedStatusLine }
        (status, minorVersion) = try Self.status(first)
        var fields: [Field] = []
        for line in lines {
            guard fields.count < Self.fieldsMax else { throw .tooManyFields }
            guard let colon = line.firstIndex(of: 0x3A) else { throw .malformedField }
            let name = line[..<colon]
            let value = ASCII.trimmed(line[(colon + 1)...])
            guard ASCII.isToken(name), value.allSatisfy(ASCII.isFieldValueCharacter) else { throw .malformedField }
            fields.append(Field(name: [UInt8](name), value: value))
        }
        self.fields = fields
    }

    /// The lines before the empty one, without their CRLF.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        var index = 0
        while index + 1 < bytes.count {
            if bytes[index] == 0x0D && bytes[index + 1] == 0x0A {
                if index == start { break }
                lines.append(bytes[start..<index])
                index += 2
                start = index
            } else {
                index += 1
            }
        }
        return lines
    }

    /// "HTTP/1.1 101 Switching Protocols"; the phrase may be missing.
    private static func status(_ line: ArraySlice<UInt8>) throws(HTTPHeadError) -> (status: UInt16, minorVersion: UInt8) {
        let prefix: StaticString = "HTTP/1."
        let size = prefix.utf8CodeUnitCount
        guard line.count >= size + 5, ASCII.equalsIgnoringCase(line.prefix(size), prefix) else { throw .malformedStatusLine }
        let minor = line[line.startIndex + size]
        let digits = line[(line.startIndex + size + 2)..<(line.startIndex + size + 5)]
        let rest = line[(line.startIndex + size + 5)...]
        guard minor == 0x30 || minor == 0x31, line[line.startIndex + size + 1] == 0x20,
            let value = ASCII.decimal(digits, max: 999), value >= 100, rest.isEmpty || rest.first == 0x20,
            rest.allSatisfy(ASCII.isFieldValueCharacter)
        else { throw .malformedStatusLine }
        return (UInt16(value), minor &- 0x30)
    }
}

/// Collects the bytes of a head as they arrive. Each byte is looked at once, however the input is split.
package struct HTTPHeadReader {
    private var collected: [UInt8] = []

    package init() {}

    /// Takes bytes of `input` from `consumed` on, up to the end of the head and no further: what follows belongs to the next protocol.
    package mutating func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(HTTPHeadError) -> HTTPHead? {
        while consumed < input.count {
            let byte = input[consumed]
            consumed += 1
            collected.append(byte)
            guard collected.count <= HTTPHead.sizeMax else { throw .tooLarge }
            let count = collected.count
            if byte == 0x0A && count >= 4 && collected[count - 2] == 0x0D && collected[count - 3] == 0x0A && collected[count - 4] == 0x0D {
                let head = try HTTPHead(parsing: collected)
                collected = []
                return head
            }
            // What does not begin like HTTP will never become it: say so at once rather than wait for an empty line.
            if count <= 5 && !ASCII.equalsIgnoringCase(collected[(count - 1)...], at: count - 1, of: "HTTP/") { throw .malformedStatusLine }
        }
        return nil
    }
}

extension ASCII {
    /// True if `bytes` equals the part of `text` that begins at `offset`.
    fileprivate static func equalsIgnoringCase(_ bytes: ArraySlice<UInt8>, at offset: Int, of text: StaticString) -> Bool {
        var index = offset
        for byte in bytes {
            guard index < text.utf8CodeUnitCount, lowercased(byte) == lowercased(text.utf8Start[index]) else { return false }
            index += 1
        }
        return true
    }
}
