/// Where a walk came upon the value of a node.
struct JSONPlace {
    var kind = JSONKind.null
    /// `JSONPaths.none` if no value was found.
    var start = JSONPaths.none
    var end = 0
    /// Where the parent's value began: when that is no longer the parent's place, a duplicate has taken it, and this value is gone with it.
    var parentStart = JSONPaths.none
    /// The element of this array that the walk is in.
    var element = JSONPaths.none
}

/// One walk over a whole text, which notes the places of the values that paths lead to. It keeps its way in the bits of one word: no recursion,
/// no allocation. Its steps are inlined into `run`, so that it keeps that way in registers, which makes it a quarter faster.
struct JSONWalk {
    private let text: JSONText
    private let nodes: UnsafeBufferPointer<JSONPaths.Node>
    private let names: UnsafeRawBufferPointer
    private let places: UnsafeMutableBufferPointer<JSONPlace>

    private var index = 0
    /// How many containers are open, and a bit for each: set for arrays, the innermost lowest.
    private var depth = 0
    private var arrays: UInt64 = 0
    /// The innermost open container that a path leads to, and how many are open with it; paths lead to none of those within it.
    private var container = 0
    private var containerDepth = 0

    init(
        _ text: JSONText, nodes: UnsafeBufferPointer<JSONPaths.Node>, names: UnsafeRawBufferPointer,
        places: UnsafeMutableBufferPointer<JSONPlace>
    ) {
        self.text = text
        self.nodes = nodes
        self.names = names
        self.places = places
    }

    /// Throws if the text is not one complete document. `root` is the node of that document.
    @_optimize(speed)
    mutating func run(root: Int) throws(JSONSyntaxError) {
        var node = root
        var isContainer: Bool
        repeat {
            index = text.skipWhitespace(from: index)
            let kind = try text.kind(at: index)
            let start = index
            isContainer = kind == .object || kind == .array
            if isContainer {
                try open(kind, node)
            } else {
                index = try text.endOfScalar(kind, at: start)
            }
            if node != JSONPaths.none { note(node, kind, start) }
        } while try advance(to: &node, isFirst: isContainer)
    }

    private func note(_ node: Int, _ kind: JSONKind, _ start: Int) {
        places[node] = JSONPlace(kind: kind, start: start, end: index, parentStart: places[nodes[node].parent].start)
    }

    private mutating func open(_ kind: JSONKind, _ node: Int) throws(JSONSyntaxError) {
        guard depth < JSONText.depthMax else { throw text.error(.tooDeep, at: index) }
        index &+= 1
        depth &+= 1
        arrays = arrays &<< 1 | (kind == .array ? 1 : 0)
        if node != JSONPaths.none { (container, containerDepth) = (node, depth) }
    }

    private mutating func close() {
        index &+= 1
        if containerDepth == depth {
            places[container].end = index
            container = nodes[container].parent
            containerDepth &-= 1
        }
        depth &-= 1
        arrays &>>= 1
    }

    /// Closes what ends here, goes on to the next value and tells which node it belongs to; false at the end of the document.
    @inline(__always)
    @_optimize(speed)
    private mutating func advance(to node: inout Int, isFirst: Bool) throws(JSONSyntaxError) -> Bool {
        var isFirst = isFirst
        while depth > 0 {
            index = text.skipWhitespace(from: index)
            let isArray = arrays & 1 != 0
            if text[index] == UInt8(ascii: isArray ? "]" : "}") {
                close()
                isFirst = false
                continue
            }
            if !isFirst {
                guard text[index] == UInt8(ascii: ",") else { throw text.error(.commaOrEnd, at: index) }
                index &+= 1
            }
            node = isArray ? nextElement() : try nextMember(isFirst: isFirst)
            return true
        }
        index = text.skipWhitespace(from: index)
        guard index == text.count else { throw text.error(.trailing, at: index) }
        return false
    }

    @inline(__always)
    private func nextElement() -> Int {
        guard containerDepth == depth else { return JSONPaths.none }
        places[container].element &+= 1
        let element = places[container].element
        return firstChild { nodes[$0].element == element }
    }

    @inline(__always)
    @_optimize(speed)
    private mutating func nextMember(isFirst: Bool) throws(JSONSyntaxError) -> Int {
        let start = text.skipWhitespace(from: index)
        guard text[start] == UInt8(ascii: "\"") else { throw text.error(isFirst ? .nameOrEnd : .name, at: start) }
        let end = try text.endOfString(at: start)
        index = text.skipWhitespace(from: end)
        guard text[index] == UInt8(ascii: ":") else { throw text.error(.colon, at: index) }
        index &+= 1
        guard containerDepth == depth else { return JSONPaths.none }
        let name = JSONString(text.bytes(from: start, to: end))
        return firstChild { name.equals(UnsafeRawBufferPointer(rebasing: names[nodes[$0].name])) }
    }

    @_optimize(speed)
    private func firstChild(where isWanted: (Int) -> Bool) -> Int {
        var child = nodes[container].firstChild
        while child != JSONPaths.none && !isWanted(child) { child = nodes[child].nextSibling }
        return child
    }
}
