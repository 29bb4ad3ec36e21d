/// A value that turned into another.
package struct Change<Value: Equatable>: Equatable {
    package let previous: Value
    package let current: Value

    package init(from previous: Value, to current: Value) {
        self.previous = previous
        self.current = current
    }
}

/// A value each of whose changes is reported once.
package struct Reported<Value: Equatable> {
    package private(set) var value: Value

    package init(_ value: Value) {
        self.value = value
    }

    package mutating func update(_ current: Value) -> Change<Value>? {
        guard current != value else { return nil }
        defer { value = current }
        return Change(from: value, to: current)
    }
}
