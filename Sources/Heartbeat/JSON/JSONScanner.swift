import WebSocket

/// Finds values in documents (RFC 8259), each of which it reads once. It is the scratch of a thread: reused for every document, so that a scan
/// allocates nothing once it is warm, but for very long documents in strings.
package final class JSONScanner {
    private var places: [JSONPlace] = []
    /// The text of each of the paths' roots, nil if there is none.
    private var texts: [JSONText?] = []
    private var decodedTexts: [DecodedText] = []
    private var found: [JSONFound?] = []

    package init() {}

    /// False if the text is not one complete document, in which nothing is found then. The document must stay where it is for as long as what
    /// was found is used.
    @_optimize(speed)
    package func scan(_ document: UnsafeRawBufferPointer, for paths: JSONPaths) -> Bool {
        reset(&places, to: JSONPlace(), count: paths.nodes.count)
        reset(&texts, to: nil, count: paths.roots.count)
        reset(&found, to: nil, count: paths.slots.count)
        guard let text = JSONText(document), walk(text, 0, paths) else { return false }
        for number in paths.roots.indices.dropFirst() {
            // Whatever is no document there has no values, but the document around it counts.
            if let text = innerText(number, paths) { _ = walk(text, number, paths) }
        }
        for (slot, node) in paths.slots.enumerated() {
            found[slot] = value(of: node, paths)
        }
        return true
    }

    /// The value that the slot's path leads to in the last document; nil if there is none.
    package func found(_ slot: Int) -> JSONFound? {
        found.indices.contains(slot) ? found[slot] : nil
    }

    private func reset<Element>(_ array: inout [Element], to value: Element, count: Int) {
        array.removeAll(keepingCapacity: true)
        array.append(contentsOf: repeatElement(value, count: count))
    }

    /// Notes the places of the values in one text; false, and none noted, if it is no document.
    @_optimize(speed)
    private func walk(_ text: JSONText, _ number: Int, _ paths: JSONPaths) -> Bool {
        texts[number] = text
        let root = paths.roots[number]
        let isDocument = paths.nodes.withUnsafeBufferPointer { nodes in
            paths.names.withUnsafeBytes { names in
                places.withUnsafeMutableBufferPointer { places in
                    var walk = JSONWalk(text, nodes: nodes, names: names, places: places)
                    do throws(JSONSyntaxError) {
                        try walk.run(root: root)
                        return true
                    } catch {
                        return false
                    }
                }
            }
        }
        if !isDocument { places[root] = JSONPlace() }
        return isDocument
    }

    /// What the string around a document contains, nil if no string was found there.
    private func innerText(_ number: Int, _ paths: JSONPaths) -> JSONText? {
        let parent = paths.nodes[paths.roots[number]].parent
        guard let around = value(of: parent, paths), around.kind == .string else { return nil }
        let string = JSONString(around.text)
        if !string.hasEscapes { return JSONText(string.content) }
        while decodedTexts.count <= number { decodedTexts.append(DecodedText()) }
        return decodedTexts[number].decode(string)
    }

    private func value(of node: Int, _ paths: JSONPaths) -> JSONFound? {
        let place = places[node]
        guard isValid(node, paths), let text = texts[paths.nodes[node].document] else { return nil }
        return JSONFound(kind: place.kind, text: text.bytes(from: place.start, to: place.end))
    }

    /// True if something was found there and no duplicate further up has taken its place.
    private func isValid(_ node: Int, _ paths: JSONPaths) -> Bool {
        var node = node
        while places[node].start != JSONPaths.none {
            if node == 0 { return true }
            let parent = paths.nodes[node].parent
            guard places[node].parentStart == places[parent].start else { return false }
            node = parent
        }
        return false
    }
}

/// The decoded content of a string, in a block that is used again.
private struct DecodedText {
    private var block: Allocation?
    private var capacity = 0

    /// A block larger than this is given back when content needs less: one long message should not cost that much memory for ever.
    private static let keptCapacity = 65536

    mutating func decode(_ string: JSONString) -> JSONText? {
        let needed = string.content.count
        if needed > capacity || capacity > max(needed, Self.keptCapacity) {
            capacity = max(needed, 512)
            block = Allocation(byteCount: capacity)
        }
        return block.flatMap { JSONText(UnsafeRawBufferPointer(start: $0.base, count: string.decode(to: $0.base))) }
    }
}
