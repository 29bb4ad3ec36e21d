/// Finds what a misspelt name was probably meant to be.
package enum Spelling {
    /// The name that needs the fewest changes; nil if none comes near.
    package static func nearest(to name: [UInt8], among names: some Sequence<StaticString>) -> StaticString? {
        var best: (name: StaticString, distance: Int)?
        for candidate in names {
            let distance = editDistance(name, ASCII.bytes(candidate))
            if distance < best?.distance ?? (name.count / 2 + 1) { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Levenshtein's distance; names are short, so the plain algorithm will do.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard a.count <= 64 else { return .max }
        var row = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let substituted = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
