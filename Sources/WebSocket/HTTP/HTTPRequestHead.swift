/// The head of an HTTP/1.1 request (RFC 9112): request line and fields.
struct HTTPRequestHead {
    let method: [UInt8]
    let target: [UInt8]
    /// The major and minor version's digits.
    let version: (major: UInt8, minor: UInt8)
    let fields: HTTPFields

    /// "GET /chat HTTP/1.1", with single spaces (RFC 9112 section 3).
    fileprivate static func split(_ line: [UInt8]) throws(HTTPHeadError) -> (method: [UInt8], target: [UInt8], version: (UInt8, UInt8)) {
        let parts = ASCII.split(line[...], at: 0x20)
        guard parts.count == 3, ASCII.isToken(parts[0]), !parts[1].isEmpty, let version = version(parts[2]) else {
            throw .malformedStartLine
        }
        return ([UInt8](parts[0]), [UInt8](parts[1]), version)
    }

    private static func version(_ text: ArraySlice<UInt8>) -> (UInt8, UInt8)? {
        let bytes = [UInt8](text)
        guard bytes.count == 8, bytes.starts(with: ASCII.bytes("HTTP/")), bytes[6] == 0x2E, let major = digit(bytes[5]),
            let minor = digit(bytes[7])
        else { return nil }
        return (major, minor)
    }

    private static func digit(_ byte: UInt8) -> UInt8? { byte >= 0x30 && byte <= 0x39 ? byte &- 0x30 : nil }
}

/// Reads the head of a request from bytes as they arrive.
struct HTTPRequestHeadReader {
    private var parser: HTTPHeadParser
    private var start: (method: [UInt8], target: [UInt8], version: (UInt8, UInt8))?
    private var skippedEmptyLine = false

    init(sizeMax: Int) {
        parser = HTTPHeadParser(sizeMax: sizeMax)
    }

    /// Takes bytes of `input` from `consumed` on, up to the end of the head and no further.
    mutating func read(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(HTTPHeadError) -> HTTPRequestHead? {
        while let part = try parser.next(input, consumed: &consumed) {
            switch part {
            case .startLine(let line):
                // RFC 9112 section 2.2: one empty line before the request is overlooked.
                if line.isEmpty && !skippedEmptyLine {
                    skippedEmptyLine = true
                    parser.restart()
                    continue
                }
                start = try HTTPRequestHead.split(line)
            case .fields(let fields):
                return start.map { HTTPRequestHead(method: $0.method, target: $0.target, version: $0.version, fields: fields) }
            }
        }
        return nil
    }
}
