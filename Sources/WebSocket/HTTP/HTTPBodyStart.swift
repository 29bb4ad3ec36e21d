/// The beginning of an HTTP response's body (RFC 9112 sections 6 and 7), kept so that a refused handshake can say why.
package struct HTTPBodyStart {
    private enum Framing {
        case length(remaining: UInt64)
        case chunkSize(digits: [UInt8])
        case chunk(remaining: UInt64)
        case chunkEnd
        case untilClose
        case complete
    }

    package private(set) var bytes: [UInt8] = []
    private var framing: Framing

    /// More than this is not kept, nor waited for.
    package static let sizeMax = 1024

    /// The order of the questions is that of RFC 9112 section 6.3.
    package init(head: HTTPHead) throws(HTTPHeadError) {
        if head.status == 204 || head.status == 304 {
            framing = .complete
        } else if let encoding = head.fields.list("transfer-encoding").last {
            framing = ASCII.equalsIgnoringCase(encoding, "chunked") ? .chunkSize(digits: []) : .untilClose
        } else if let length = try head.fields.contentLength() {
            framing = length == 0 ? .complete : .length(remaining: length)
        } else {
            framing = .untilClose
        }
    }

    /// True when nothing more is to be had.
    package var isComplete: Bool {
        if bytes.count >= Self.sizeMax { return true }
        if case .complete = framing { return true }
        return false
    }

    package mutating func append(_ input: UnsafeRawBufferPointer) {
        for byte in input {
            if isComplete { return }
            append(byte)
        }
    }

    private mutating func append(_ byte: UInt8) {
        switch framing {
        case .complete:
            break
        case .untilClose:
            bytes.append(byte)
        case .length(let remaining):
            bytes.append(byte)
            framing = remaining == 1 ? .complete : .length(remaining: remaining - 1)
        case .chunk(let remaining):
            bytes.append(byte)
            framing = remaining == 1 ? .chunkEnd : .chunk(remaining: remaining - 1)
        case .chunkEnd:
            if byte == 0x0A { framing = .chunkSize(digits: []) }
        case .chunkSize(let digits):
            framing = Self.chunkSize(digits, byte)
        }
    }

    private static func chunkSize(_ digits: [UInt8], _ byte: UInt8) -> Framing {
        guard byte == 0x0A else { return digits.count < 256 ? .chunkSize(digits: digits + [byte]) : .complete }
        var size: UInt64 = 0
        for digit in digits.prefix(15) {
            guard let value = ASCII.hexDigit(digit) else { break }
            size = size &<< 4 | UInt64(value)
        }
        return size == 0 ? .complete : .chunk(remaining: size)
    }
}
