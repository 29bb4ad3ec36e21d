import WebSocket

/// Why a text is no path into JSON documents.
package enum JSONPointerError: Error, Equatable {
    case noSlashInFront
    /// The index of the tilde.
    case escape(offset: Int)
    case tooManySteps
    case tooManyInnerDocuments

    package var sentence: String {
        switch self {
        case .noSlashInFront: "a path must begin with a slash, as in /data/id; the empty path means the whole document"
        case .escape(let offset): "~ in a path must be followed by 0 (for ~) or 1 (for /) (byte \(offset))"
        case .tooManySteps: "a path may lead through \(JSONText.depthMax) objects and arrays; deeper documents are not read"
        case .tooManyInnerDocuments: "a path may have \(JSONPaths.innerDepthMax) steps \"!\""
        }
    }
}

/// A set of JSON pointers (RFC 6901) compiled into one tree, so that one walk over a document finds all of them.
package struct JSONPaths {
    /// A place in documents that a path leads to or through.
    struct Node {
        /// Where the member's name lies in `names`.
        var name = 0..<0
        /// The element of an array that the same step means, `none` if it can mean no element.
        var element = JSONPaths.none
        /// The container, or the string that contains this document; the outermost document is its own.
        var parent = 0
        /// Which of `roots` is the document around it.
        var document = 0
        var firstChild = JSONPaths.none
        var nextSibling = JSONPaths.none
    }

    static let none = -1

    /// Documents in strings in documents: at most so many strings around one value.
    static let innerDepthMax = 4

    /// Parents come before their children; the first is the outermost document.
    private(set) var nodes = [Node()]
    private(set) var names: [UInt8] = []
    /// The nodes that are whole documents: first the outermost, then those within strings, outer ones before those within them.
    private(set) var roots = [0]
    /// Which node a slot gets its value from.
    private(set) var slots: [Int] = []

    package init() {}

    package var count: Int { slots.count }

    /// The number of the slot that a scan puts the value into; the same pointer always gets the same one. The step "!" stands for the document
    /// that the string here contains.
    package mutating func slot(for pointer: [UInt8]) throws(JSONPointerError) -> Int {
        var node = 0
        for step in try Self.steps(of: pointer) {
            node = step == Self.innerStep ? innerRoot(in: node) : child(step, of: node)
        }
        if let slot = slots.firstIndex(of: node) { return slot }
        slots.append(node)
        return slots.count &- 1
    }

    private static let innerStep = [UInt8(ascii: "!")]

    private static func steps(of pointer: [UInt8]) throws(JSONPointerError) -> [[UInt8]] {
        guard !pointer.isEmpty else { return [] }
        guard pointer[0] == UInt8(ascii: "/") else { throw .noSlashInFront }
        var steps: [[UInt8]] = []
        var (depth, innerDepth) = (0, 0)
        for range in ASCII.split(pointer[1...], at: UInt8(ascii: "/")) {
            let step = try unescaped(range)
            (depth, innerDepth) = step == innerStep ? (0, innerDepth &+ 1) : (depth &+ 1, innerDepth)
            guard depth <= JSONText.depthMax else { throw .tooManySteps }
            guard innerDepth <= innerDepthMax else { throw .tooManyInnerDocuments }
            steps.append(step)
        }
        return steps
    }

    private static func unescaped(_ step: ArraySlice<UInt8>) throws(JSONPointerError) -> [UInt8] {
        var result: [UInt8] = []
        var index = step.startIndex
        while index < step.endIndex {
            let isEscape = step[index] == UInt8(ascii: "~")
            if isEscape {
                switch step[(index + 1)...].first {
                case UInt8(ascii: "0"): result.append(UInt8(ascii: "~"))
                case UInt8(ascii: "1"): result.append(UInt8(ascii: "/"))
                default: throw .escape(offset: index)
                }
            } else {
                result.append(step[index])
            }
            index += isEscape ? 2 : 1
        }
        return result
    }

    /// The element that a step means (RFC 6901 section 4): digits without leading zeros. "-" means one behind the last, which never exists.
    private static func element(_ step: [UInt8]) -> Int {
        guard step == [UInt8(ascii: "0")] || step.first != UInt8(ascii: "0") else { return none }
        return ASCII.decimal(step, max: UInt64(Int.max)).map { Int($0) } ?? none
    }

    /// The node of a step from `parent`; a new one if no path took that step before.
    private mutating func child(_ step: [UInt8], of parent: Int) -> Int {
        var child = nodes[parent].firstChild
        while child != Self.none {
            let node = nodes[child]
            if names[node.name].elementsEqual(step) { return child }
            child = node.nextSibling
        }
        let node = Node(
            name: names.count..<names.count + step.count, element: Self.element(step), parent: parent,
            document: nodes[parent].document, nextSibling: nodes[parent].firstChild)
        names += step
        nodes[parent].firstChild = nodes.count
        nodes.append(node)
        return nodes.count - 1
    }

    /// The node of the document in the string that is `parent`.
    private mutating func innerRoot(in parent: Int) -> Int {
        if let root = roots.dropFirst().first(where: { nodes[$0].parent == parent }) { return root }
        nodes.append(Node(parent: parent, document: roots.count))
        roots.append(nodes.count - 1)
        return nodes.count - 1
    }
}
