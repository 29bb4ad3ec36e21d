/// The head of an HTTP/1.1 response (RFC 9112): status line and fields.
package struct HTTPHead {
    package let status: UInt16
    /// The minor version: HTTP/1.0 may refuse us, but not switch protocols.
    package let minorVersion: UInt8
    package let fields: HTTPFields

    package static let sizeMax = 65536

    /// "HTTP/1.1 101 Switching Protocols"; the phrase may be missing.
    fileprivate static func status(_ line: [UInt8]) throws(HTTPHeadError) -> (status: UInt16, minorVersion: UInt8) {
        guard line.count >= 12, line.starts(with: ASCII.bytes("HTTP/1.")), line[7] == 0x30 || line[7] == 0x31, line[8] == 0x20,
            let status = ASCII.decimal(line[9..<12], max: 999), status >= 100, line.count == 12 || line[12] == 0x20
        else { throw .malformedStartLine }
        return (UInt16(status), line[7] &- 0x30)
    }
}

/// Reads the heads of a connection's responses from bytes as they arrive, all of them under one limit.
package struct HTTPHeadReader {
    private var parser: HTTPHeadParser
    private var start: (status: UInt16, minorVersion: UInt8)?

    package init(sizeMax: Int = HTTPHead.sizeMax) {
        parser = HTTPHeadParser(sizeMax: sizeMax)
    }

    /// Takes bytes of `input` from `consumed` on, up to the end of the head and no further: what follows belongs to the next protocol.
    package mutating func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(HTTPHeadError) -> HTTPHead? {
        while let part = try parser.next(input, consumed: &consumed) {
            switch part {
            case .startLine(let line):
                start = try HTTPHead.status(line)
            case .fields(let fields):
                defer { start = nil }
                return start.map { HTTPHead(status: $0.status, minorVersion: $0.minorVersion, fields: fields) }
            }
        }
        // What does not begin like HTTP will never become it: say so at once rather than wait for the end of a line.
        if start == nil && !ASCII.bytes("HTTP/").starts(with: parser.line.prefix(5)) { throw .malformedStartLine }
        return nil
    }
}
