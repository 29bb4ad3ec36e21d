/// Base64 (RFC 4648 section 4), with padding.
package enum Base64 {
    private static let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    /// True for a character that stands for six bits; the padding does not.
    static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
        default: false
        }
    }

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let group = rest.prefix(3)
            rest = rest.dropFirst(3)
            var bits = group.reduce(UInt32(0)) { $0 &<< 8 | UInt32($1) } &<< UInt32(8 &* (3 &- group.count))
            var digits: [UInt8] = [0x3D, 0x3D, 0x3D, 0x3D]
            for index in stride(from: 3, through: 0, by: -1) {
                if index <= group.count { digits[index] = alphabet.utf8Start[Int(bits & 63)] }
                bits &>>= 6
            }
            result += digits
        }
        return result
    }
}
