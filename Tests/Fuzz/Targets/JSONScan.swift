import Heartbeat

/// The same for all inputs, so that nothing of one document shows up in the next.
nonisolated(unsafe) private let scanner = JSONScanner()

/// Any paths, one a line, and any bytes as a document: the values found in one walk are those that the paths lead to in the tree.
func examine(_ given: Input) {
    var input = given
    let pointers = input.take(input.choice()).split(separator: 0x0A, omittingEmptySubsequences: false).map { [UInt8]($0) }
    let text = input.takeRest()
    var paths = JSONPaths()
    let wanted = pointers.compactMap { pointer in slot(for: pointer, in: &paths).map { (pointer: pointer, slot: $0) } }
    withBlock(text[...]) { block in
        let document = UnsafeRawBufferPointer(block)
        let isDocument = scanner.scan(document, for: paths)
        let tree = parse(text)
        require(isDocument == (tree != nil), "\(isDocument ? "scanned" : "refused") what the tree takes otherwise")
        for (pointer, slot) in wanted {
            let node = tree.flatMap { follow(steps(of: pointer)[...], from: $0) }
            guard let found = scanner.found(slot) else {
                require(node == nil, "found nothing at \(pointer)")
                continue
            }
            guard let node, let parsed = parse([UInt8](found.text)) else { fatalError("found what is not there at \(pointer)") }
            require(isSame(parsed, node), "found \(parsed) instead of \(node)")
            requireEqualToItself(found, node)
            let isInside = found.text.baseAddress.map { document.contains(addressOf: $0, count: found.text.count) } ?? false
            require(isInside || steps(of: pointer).contains(innerStep), "found a value outside of the document")
        }
    }
}

private let innerStep = [UInt8(0x21)]

private func slot(for pointer: [UInt8], in paths: inout JSONPaths) -> Int? {
    do throws(JSONPointerError) {
        return try paths.slot(for: pointer)
    } catch {
        require(!error.sentence.isEmpty, "no sentence for \(error)")
        return nil
    }
}

private func parse(_ text: [UInt8]) -> JSONNode? {
    do throws(JSONSyntaxError) {
        return try JSONNode.parse(text)
    } catch {
        require((0...text.count).contains(error.offset), "an error at \(error.offset) of \(text.count) bytes")
        return nil
    }
}

private func steps(of pointer: [UInt8]) -> [[UInt8]] {
    pointer.split(separator: 0x2F, omittingEmptySubsequences: false).dropFirst().map { step in
        var plain = [UInt8](step)
        for index in plain.indices.reversed() where plain[index] == 0x7E {
            plain.replaceSubrange(index...index + 1, with: [plain[index + 1] == 0x30 ? 0x7E : 0x2F])
        }
        return plain
    }
}

private func follow(_ steps: ArraySlice<[UInt8]>, from node: JSONNode) -> JSONNode? {
    guard let step = steps.first else { return node }
    let next: JSONNode?
    switch node {
    case .string(let content): next = step == innerStep ? parse(content) : nil
    case .object(let members): next = step == innerStep ? nil : members.last { $0.key == step && isCharacters(step) }?.value
    case .array(let elements):
        // No leading zeros, no signs: an index is what its number would be written as.
        next = elements.indices.first { step.elementsEqual("\($0)".utf8) }.map { elements[$0] }
    default: next = nil
    }
    return next.flatMap { follow(steps.dropFirst(), from: $0) }
}

/// False if there may be half a surrogate pair, which equals nothing.
private func isCharacters(_ content: [UInt8]) -> Bool { String(validating: content, as: UTF8.self) != nil }

private func isSame(_ one: JSONNode, _ other: JSONNode) -> Bool {
    switch (one, other) {
    case (.null, .null): true
    case (.bool(let one), .bool(let other)): one == other
    case (.number(let one), .number(let other)): one == other
    case (.string(let one), .string(let other)): one == other
    case (.array(let one), .array(let other)): one.count == other.count && zip(one, other).allSatisfy(isSame)
    case (.object(let one), .object(let other)):
        one.count == other.count && zip(one, other).allSatisfy { $0.key == $1.key && isSame($0.value, $1.value) }
    default: false
    }
}

private func requireEqualToItself(_ found: JSONFound, _ node: JSONNode) {
    let isEqual =
        switch node {
        case .null: found.equals(.null)
        case .bool(let value): found.equals(.bool(value)) && !found.equals(.bool(!value))
        case .number(let text):
            JSONDecimal(text).map { found.equals(.number($0)) } == true && found.scalarTextEquals(text) && found.isAtLeast(text)
        case .string(let content):
            !isCharacters(content) || found.equals(.string(content)) && found.scalarTextEquals(content)
        case .array: !found.isEmptyObject
        case .object(let members): found.isEmptyObject == members.isEmpty
        }
    require(isEqual, "\(node) is not what it is")
}

extension UnsafeRawBufferPointer {
    fileprivate func contains(addressOf start: UnsafeRawPointer, count: Int) -> Bool {
        guard let base = baseAddress else { return false }
        return start >= base && start + count <= base + self.count
    }
}
