/// Something that most sessions never need: made when it is first asked for.
package final class Late<Value: AnyObject> {
    /// Nil until then.
    package private(set) var existing: Value?
    private let make: () -> Value

    package init(_ make: @escaping () -> Value) {
        self.make = make
    }

    package var value: Value {
        if let existing { return existing }
        let value = make()
        existing = value
        return value
    }
}
