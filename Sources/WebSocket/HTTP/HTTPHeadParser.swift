/// The head of an HTTP/1.1 message (RFC 9112 section 2.1), read line by line as its bytes arrive and bounded in bytes and fields.
///
/// Stricter than a recipient must be: a line ends in CRLF and nothing else, and no control character but the tab stands in it. Whoever reads
/// leniently what another reads strictly can be made to see a different message.

package enum HTTPHeadError: Error, Equatable {
    case tooLarge(limit: Int)
    case tooManyFields
    case malformedStartLine
    case malformedField
    /// Two lengths, or one that is no number (RFC 9112 section 6.3): where the message ends is anyone's guess.
    case contentLength
}

struct HTTPHeadParser {
    enum Part {
        /// The status line or request line, without its CRLF.
        case startLine([UInt8])
        /// The fields, complete: the head has ended.
        case fields(HTTPFields)
    }

    private var fields: HTTPFields?
    /// The present line as far as it has come. Each byte is looked at once, however the input is split.
    private(set) var line: [UInt8] = []
    private var lineEndsWithCR = false
    private var size = 0
    private let sizeMax: Int

    init(sizeMax: Int) {
        self.sizeMax = sizeMax
    }

    /// Takes bytes of `input` from `consumed` on, up to the end of the part and no further; nil if the input ends before it. After the fields
    /// comes the next message's start line, under what is left of the limit.
    mutating func next(_ input: UnsafeRawBufferPointer, consumed: inout Int) throws(HTTPHeadError) -> Part? {
        while let line = try nextLine(input, &consumed) {
            guard fields != nil else {
                fields = HTTPFields()
                return .startLine(line)
            }
            if line.isEmpty {
                defer { fields = nil }
                return fields.map { .fields($0) }
            }
            try fields?.append(line: line)
        }
        return nil
    }

    /// Forgets the start line that was given last: the next line is one.
    mutating func restart() {
        fields = nil
    }

    private mutating func nextLine(_ input: UnsafeRawBufferPointer, _ consumed: inout Int) throws(HTTPHeadError) -> [UInt8]? {
        while consumed < input.count {
            let byte = input[consumed]
            consumed &+= 1
            guard size < sizeMax else { throw .tooLarge(limit: sizeMax) }
            size &+= 1
            if lineEndsWithCR {
                guard byte == 0x0A else { throw malformed }
                lineEndsWithCR = false
                defer { line = [] }
                return line
            }
            if byte == 0x0D {
                lineEndsWithCR = true
            } else {
                guard ASCII.isFieldValueCharacter(byte) else { throw malformed }
                line.append(byte)
            }
        }
        return nil
    }

    private var malformed: HTTPHeadError { fields == nil ? .malformedStartLine : .malformedField }
}
