import Heartbeat

/// The text as bytes in a block of its own, and what a scan finds in it, copied so that it outlives the scan.
struct Scan {
    struct Value: Equatable, ExpressibleByStringLiteral {
        let kind: JSONKind
        let text: String

        init(kind: JSONKind, text: String) {
            self.kind = kind
            self.text = text
        }

        /// The kind is told by how the text begins.
        init(stringLiteral text: String) {
            let kinds: [Character: JSONKind] = ["n": .null, "t": .bool, "f": .bool, "\"": .string, "[": .array, "{": .object]
            self.init(kind: kinds[text.first ?? "0"] ?? .number, text: text)
        }
    }

    let isDocument: Bool
    let values: [Value?]

    init(_ document: String, _ pointers: String...) throws {
        try self.init(Array(document.utf8), pointers)
    }

    init(_ document: [UInt8], _ pointers: [String], with scanner: JSONScanner = JSONScanner()) throws {
        var paths = JSONPaths()
        let slots = try pointers.map { try paths.slot(for: Array($0.utf8)) }
        (isDocument, values) = document.withUnsafeBytes { bytes in
            let isDocument = scanner.scan(bytes, for: paths)
            let values = slots.map { scanner.found($0).map { Value(kind: $0.kind, text: String(decoding: $0.text, as: UTF8.self)) } }
            return (isDocument, values)
        }
    }
}

/// Runs `body` on the first value that the pointer leads to.
func withFound<Result>(_ document: String, _ pointer: String = "", _ body: (JSONFound?) -> Result) throws -> Result {
    var paths = JSONPaths()
    let slot = try paths.slot(for: Array(pointer.utf8))
    let scanner = JSONScanner()
    return Array(document.utf8).withUnsafeBytes { bytes in
        _ = scanner.scan(bytes, for: paths)
        return body(scanner.found(slot))
    }
}

func isDocument(_ text: [UInt8]) -> Bool {
    text.withUnsafeBytes { JSONScanner().scan($0, for: JSONPaths()) }
}

/// The same numbers in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
