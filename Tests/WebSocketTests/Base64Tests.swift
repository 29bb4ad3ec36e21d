import Testing
import WebSocket

struct Base64Tests {
    /// The vectors of RFC 4648 section 10, and every value a digit can have.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func encodes(text: String, encoded: String) {
        #expect(Base64.encode(bytes(text)) == bytes(encoded))
    }

    @Test func encodesEveryDigit() {
        let all: [UInt8] = (0..<48).map { index in
            let digits = (0..<4).map { UInt32(index / 3 * 4 + $0) }
            let bits = digits.reduce(0) { $0 << 6 | $1 }
            return UInt8(bits >> UInt32(16 - 8 * (index % 3)) & 0xFF)
        }
        #expect(Base64.encode(all) == bytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
    }
}
