/// A value that turned into another.
package struct Change<Value> {
    package let previous: Value
    package let current: Value

    package init(from previous: Value, to current: Value) {
        self.previous = previous
        self.current = current
    }
}

extension Change: Equatable where Value: Equatable {}

/// A value each of whose changes is reported once. Only the method asks that values can be compared: the metadata of a type that asks for a
/// conformance is looked up at run time in debug builds, and not found when the library is loaded into a C program.
package struct Reported<Value> {
    package private(set) var value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package mutating func update(_ current: Value) -> Change<Value>? where Value: Equatable {
        guard current != value else { return nil }
        defer { value = current }
        return Change(from: value, to: current)
    }
}
