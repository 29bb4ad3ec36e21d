/// The header fields of an HTTP message (RFC 9110 section 5, RFC 9112 section 5), in the order in which they came.
package struct HTTPFields {
    private struct Field {
        let name: ArraySlice<UInt8>
        let value: ArraySlice<UInt8>
    }

    private var fields: [Field] = []

    package static let countMax = 128

    package var count: Int { fields.count }

    /// Takes a whole line without its CRLF. Folded lines and spaces before the colon are refused (RFC 9112 sections 5.1 and 5.2).
    mutating func append(line: [UInt8]) throws(HTTPHeadError) {
        guard fields.count < Self.countMax else { throw .tooManyFields }
        guard let colon = line.firstIndex(of: 0x3A) else { throw .malformedField }
        let name = line[..<colon]
        let value = ASCII.trimmed(line[(colon + 1)...])
        guard ASCII.isToken(name), value.allSatisfy(ASCII.isFieldValueCharacter) else { throw .malformedField }
        fields.append(Field(name: name, value: value))
    }

    /// All of them as lines with CRLF, as they came.
    package var text: [UInt8] {
        var text: [UInt8] = []
        for field in fields {
            text += field.name
            text += ASCII.bytes(": ")
            text += field.value
            text += ASCII.bytes("\r\n")
        }
        return text
    }

    /// Every value of a field, in order.
    package func values(_ name: StaticString) -> [ArraySlice<UInt8>] {
        fields.filter { ASCII.equalsIgnoringCase($0.name, name) }.map { $0.value }
    }

    /// The value of a field that stands there exactly once.
    package func onlyValue(_ name: StaticString) -> ArraySlice<UInt8>? {
        let found = values(name)
        return found.count == 1 ? found.first : nil
    }

    /// The members of a comma-separated field, over all its lines (RFC 9110 section 5.3).
    package func list(_ name: StaticString) -> [ArraySlice<UInt8>] {
        values(name).flatMap(ASCII.list)
    }

    /// True if a comma-separated field holds `token`, in any letter case.
    package func contains(_ token: StaticString, in name: StaticString) -> Bool {
        list(name).contains { ASCII.equalsIgnoringCase($0, token) }
    }

    /// True if a comma-separated field holds `token`, in any letter case, and nothing else.
    package func containsOnly(_ token: StaticString, in name: StaticString) -> Bool {
        let members = list(name)
        return !members.isEmpty && members.allSatisfy { ASCII.equalsIgnoringCase($0, token) }
    }

    /// Content-Length; nil if it is missing. The same number again is one number (RFC 9112 section 6.3).
    package func contentLength() throws(HTTPHeadError) -> UInt64? {
        var length: UInt64?
        for value in values("content-length") {
            for member in ASCII.split(value, at: 0x2C) {
                guard let number = ASCII.decimal(ASCII.trimmed(member), max: .max), number == length ?? number else { throw .contentLength }
                length = number
            }
        }
        return length
    }
}
