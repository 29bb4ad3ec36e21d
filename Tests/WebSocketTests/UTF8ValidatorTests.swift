import Testing
import WebSocket

struct UTF8ValidatorTests {
    static let valid: [[UInt8]] = [
        [], [0x00], [0x7F], bytes("plain"),
        [0xC2, 0x80], [0xDF, 0xBF],
        [0xE0, 0xA0, 0x80], [0xE0, 0xBF, 0xBF], [0xE1, 0x80, 0x80], [0xEC, 0xBF, 0xBF],
        [0xED, 0x80, 0x80], [0xED, 0x9F, 0xBF], [0xEE, 0x80, 0x80], [0xEF, 0xBF, 0xBF],
        [0xF0, 0x90, 0x80, 0x80], [0xF0, 0xBF, 0xBF, 0xBF], [0xF1, 0x80, 0x80, 0x80], [0xF3, 0xBF, 0xBF, 0xBF],
        [0xF4, 0x80, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
        bytes("κόσμε"), bytes("Größe, 日本語 and 🫀 mixed with ASCII"), [0xEF, 0xBB, 0xBF, 0x41],
    ]

    static let invalid: [[UInt8]] = [
        // Lone continuation bytes, and bytes that never occur.
        [0x80], [0xBF], [0x41, 0x80], [0xFE], [0xFF], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        // Overlong forms.
        [0xC0, 0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xE0, 0x9F, 0xBF], [0xF0, 0x80, 0x80, 0xAF],
        [0xF0, 0x8F, 0xBF, 0xBF],
        // Surrogates.
        [0xED, 0xA0, 0x80], [0xED, 0xAF, 0xBF], [0xED, 0xB0, 0x80], [0xED, 0xBF, 0xBF], [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80],
        // Above U+10FFFF.
        [0xF4, 0x90, 0x80, 0x80], [0xF7, 0xBF, 0xBF, 0xBF],
        // A sequence broken off by another byte.
        [0xC2, 0x41], [0xC2, 0xC2], [0xE1, 0x80, 0x41], [0xE1, 0x41, 0x80], [0xF1, 0x80, 0x80, 0x41], [0xF1, 0x80, 0xC0, 0x80],
        [0xC2, 0x00], [0xE1, 0x80, 0xC0],
    ]

    static let truncated: [[UInt8]] = [
        [0xC2], [0xE1], [0xE1, 0x80], [0xE0, 0xA0], [0xED, 0x9F], [0xF1], [0xF1, 0x80], [0xF1, 0x80, 0x80], [0xF4, 0x8F, 0xBF],
        bytes("text") + [0xF0, 0x9F],
    ]

    /// Feeds parts to one validator; nil if it refused one of them, else whether it stands at the end of a code point.
    private func validate(_ parts: [[UInt8]]) -> Bool? {
        var validator = UTF8Validator()
        for part in parts where !part.withUnsafeBytes({ validator.append($0) }) { return nil }
        return validator.isComplete
    }

    @Test(arguments: valid) func acceptsUTF8HoweverItIsSplit(text: [UInt8]) {
        #expect(text.withUnsafeBytes { UTF8Validator.isValid($0) })
        for parts in splits(text) { #expect(validate(parts) == true) }
    }

    @Test(arguments: invalid) func refusesTheRestHoweverItIsSplit(text: [UInt8]) {
        #expect(!text.withUnsafeBytes { UTF8Validator.isValid($0) })
        for parts in splits(text) { #expect(validate(parts) == nil) }
    }

    @Test(arguments: truncated) func knowsThatMoreMustCome(text: [UInt8]) {
        #expect(!text.withUnsafeBytes { UTF8Validator.isValid($0) })
        for parts in splits(text) { #expect(validate(parts) == false) }
    }

    /// Every sequence of two bytes and every lead of three, at the end of a text and inside, against Swift's own decoder.
    @Test func agreesWithTheStandardLibrary() {
        let tails: [[UInt8]] = [
            [], [0x80], [0xBF], [0x80, 0x80], [0xBF, 0xBF], [0x41, 0x80], [0x80, 0x41], [0x80, 0x80, 0x80], [0xC0, 0x80],
        ]
        var wrong: [[UInt8]] = []
        for first in UInt8(0x70)...0xFF {
            for second in UInt8.min...UInt8.max {
                for tail in tails {
                    for rest in [[], bytes("tail"), bytes("äöü"), bytes("€🫀")] {
                        let text = [first, second] + tail + rest
                        let isValid = String(validating: text, as: UTF8.self) != nil
                        if text.withUnsafeBytes({ UTF8Validator.isValid($0) }) != isValid { wrong.append(text) }
                    }
                }
            }
        }
        let (count, examples) = (wrong.count, wrong.prefix(5))
        #expect(count == 0, "such as \(examples)")
    }

    @Test func seesABadByteAtEveryPlaceOfAnASCIIRun() {
        for length in 0...100 {
            let run = [UInt8](repeating: 0x61, count: length)
            #expect(validate([run]) == true)
            for place in 0..<length {
                var spoiled = run
                spoiled[place] = 0xFF
                #expect(validate([spoiled]) == nil, "byte \(place) of \(length)")
            }
        }
    }

    @Test func seesACodePointAtEveryPlaceOfAnASCIIRun() {
        for length in 0...80 {
            for place in 0...length {
                let before = [UInt8](repeating: 0x61, count: place)
                let after = [UInt8](repeating: 0x7A, count: length - place)
                #expect(validate([before + bytes("🫀") + after]) == true)
                #expect(validate([before + [0xED, 0xA0, 0x80] + after]) == nil)
            }
        }
    }

    @Test func takesEmptyInput() {
        var validator = UTF8Validator()
        let isValid = validator.append(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(isValid)
        #expect(validator.isComplete)
    }
}
