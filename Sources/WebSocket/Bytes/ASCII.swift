/// Byte-wise ASCII helpers for HTTP text. Wire text stays bytes: no Unicode tables, no surprise equality.
package enum ASCII {
    package static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    @inline(never)
    package static func equalsIgnoringCase(_ bytes: some Collection<UInt8>, _ text: StaticString) -> Bool {
        guard bytes.count == text.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in bytes {
            if lowercased(byte) != lowercased(text.utf8Start[index]) { return false }
            index += 1
        }
        return true
    }

    /// True for the characters of an RFC 9110 section 5.6.2 token.
    package static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        // ! # $ % & ' * + - . ^ _ ` | ~
        case 0x21, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }

    package static func isToken(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(isTokenCharacter)
    }

    /// True for the characters of an RFC 9110 section 5.5 field value: no control character but the tab.
    package static func isFieldValueCharacter(_ byte: UInt8) -> Bool {
        byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
    }

    /// Without the spaces and tabs around it.
    @inline(never)
    package static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var (start, end) = (bytes.startIndex, bytes.endIndex)
        while start < end, bytes[start] == 0x20 || bytes[start] == 0x09 { start += 1 }
        while start < end, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        return bytes[start..<end]
    }

    /// The parts between the separators, empty ones included.
    @inline(never)
    package static func split(_ bytes: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var start = bytes.startIndex
        for index in bytes.indices where bytes[index] == separator {
            parts.append(bytes[start..<index])
            start = index + 1
        }
        parts.append(bytes[start...])
        return parts
    }

    /// The members of a comma-separated list (RFC 9110 section 5.6.1), trimmed, empty ones left out.
    package static func list(_ bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        split(bytes, at: 0x2C).map(trimmed).filter { !$0.isEmpty }
    }

    /// The value of a run of decimal digits; nil if there is anything else, or if it passes `max`.
    package static func decimal(_ bytes: some Collection<UInt8>, max: UInt64) -> UInt64? {
        guard !bytes.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in bytes {
            guard byte >= 0x30 && byte <= 0x39 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- 0x30))
            guard !overflow && !carry && sum <= max else { return nil }
            value = sum
        }
        return value
    }

    /// The value of a hexadecimal digit; nil if it is none.
    package static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46, 0x61...0x66: (byte | 0x20) &- 0x61 &+ 10
        default: nil
        }
    }

    @inline(never)
    package static func bytes(_ text: StaticString) -> [UInt8] {
        [UInt8](UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package static func joined(_ texts: [[UInt8]], separator: StaticString) -> [UInt8] {
        var result: [UInt8] = []
        for (index, text) in texts.enumerated() { result += index == 0 ? text : bytes(separator) + text }
        return result
    }

    /// The words of a text that spaces separate, or the lines of one: a table in less room than an array of texts takes.
    @inline(never)
    package static func words(_ text: StaticString, separator: UInt8 = 0x20) -> [[UInt8]] {
        split(bytes(text)[...], at: separator).filter { !$0.isEmpty }.map { [UInt8]($0) }
    }
}
