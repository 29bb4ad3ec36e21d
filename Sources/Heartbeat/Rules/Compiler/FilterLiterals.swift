import WebSocket

/// Chooses what a message must contain, besides a backslash, to be worth a scan: for each condition on JSON one text, and few in all.
///
/// A key or a string that a condition asks for stands in the message within quotes exactly as here, or with an escape, hence a backslash.
struct FilterLiterals {
    /// Of each condition on JSON: texts of which every one occurs in a message that satisfies it.
    private var conditions: [[[UInt8]]] = []

    /// Adds a condition. The strings it compares with come before the keys it goes by: keys occur in messages of all kinds.
    mutating func add(strings: [[UInt8]], keys: [[UInt8]]) {
        let texts = strings.isEmpty ? keys : strings
        conditions.append(texts.map { [0x22] + $0 + [0x22] })
    }

    /// The keys that a pointer goes by for certain: no indices, which may also count in an array, and no step into a string.
    static func keys(of pointer: [UInt8]) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        for token in ASCII.split(pointer[...], at: 0x2F).dropFirst() {
            guard token != [0x21], token.isEmpty || !token.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { continue }
            keys.append(unescaped(token))
        }
        return keys
    }

    private static func unescaped(_ token: ArraySlice<UInt8>) -> [UInt8] {
        var key: [UInt8] = []
        var isEscape = false
        for byte in token {
            if isEscape {
                key.append(byte == 0x31 ? 0x2F : 0x7E)
            } else if byte != 0x7E {
                key.append(byte)
            }
            isEscape = byte == 0x7E
        }
        return key
    }

    /// A text that most conditions share goes first, then what is left is looked at again.
    func compile() -> LiteralFilter {
        if conditions.contains(where: { $0.isEmpty }) { return .everything }
        var left = conditions
        var literals: [[UInt8]] = []
        while let best = Self.mostShared(left) {
            literals.append(best)
            left.removeAll { $0.contains(best) }
        }
        return LiteralFilter(literals)
    }

    /// Of those that are shared alike the longest.
    private static func mostShared(_ conditions: [[[UInt8]]]) -> [UInt8]? {
        var best: (text: [UInt8], count: Int)?
        for text in conditions.joined() {
            let count = conditions.count { $0.contains(text) }
            if let best, (best.count, best.text.count) >= (count, text.count) { continue }
            best = (text, count)
        }
        return best?.text
    }
}
