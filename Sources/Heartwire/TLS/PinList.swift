import WebSocket

/// The public keys that a server may have (RFC 7469): each pin is the Base64 of the SHA-256 of a certificate's SubjectPublicKeyInfo.
struct PinList {
    private var pins: [[UInt8]] = []

    var isEmpty: Bool { pins.isEmpty }

    static let none = PinList()

    private init() {}

    /// Reads `sha256/BASE64`, or `sha256//BASE64` as curl writes it, separated by commas; nil if one is anything else.
    init?(_ text: [UInt8]) {
        for part in ASCII.split(text[...], at: 0x2C) where !text.isEmpty {
            let member = ASCII.trimmed(part)
            guard ASCII.equalsIgnoringCase(member.prefix(7), "sha256/") else { return nil }
            var pin = member.dropFirst(7)
            if pin.count == Self.pinSize + 1, pin.first == 0x2F { pin.removeFirst() }
            guard Self.isPin(pin) else { return nil }
            pins.append([UInt8](pin))
        }
    }

    func contains(_ pin: [UInt8]) -> Bool {
        pins.contains { $0.elementsEqual(pin) }
    }

    /// 32 bytes in Base64.
    private static let pinSize = 44

    /// True for the Base64 of 32 bytes in the one form that an encoder gives (RFC 4648 section 3.5): compared as text, another never fits.
    private static func isPin(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count == pinSize, text.last == 0x3D else { return false }
        let digits = text.dropLast()
        guard digits.allSatisfy(isBase64Digit), let last = digits.last else { return false }
        return ASCII.bytes("AEIMQUYcgkosw048").contains(last)
    }

    private static func isBase64Digit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
        default: false
        }
    }
}
