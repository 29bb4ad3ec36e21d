/// Looks for a name in a table of names, and for the one that was probably meant if it is not there.
package enum NameSearch {
    /// A name with more bytes resembles nothing.
    private static let lengthMax = 64

    package static func find(_ name: [UInt8], in names: [[UInt8]]) -> (index: Int?, suggestion: String?) {
        if let index = names.firstIndex(of: name) { return (index, nil) }
        guard name.count <= lengthMax else { return (nil, nil) }
        let suggestion = continuation(of: name, in: names) ?? nearest(to: name, in: names)
        return (nil, suggestion.map { String(utf8: $0) })
    }

    /// The first that goes on where the name ends, as "kraken-v1" does for "kraken".
    private static func continuation(of name: [UInt8], in names: [[UInt8]]) -> [UInt8]? {
        name.count < 3 ? nil : names.first { $0.starts(with: name) }
    }

    private static func nearest(to name: [UInt8], in names: [[UInt8]]) -> [UInt8]? {
        var best: (name: [UInt8], distance: Int)?
        for candidate in names {
            let distance = editDistance(name, candidate)
            if distance < best?.distance ?? (name.count / 2 + 1) { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Levenshtein's distance; names are short, so the plain algorithm will do.
    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
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
