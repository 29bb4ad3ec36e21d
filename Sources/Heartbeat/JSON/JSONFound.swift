package enum JSONKind: UInt8 {
    case null, bool, number, string, array, object
}

/// A value to compare with.
package enum JSONScalar {
    /// The decoded content, in UTF-8.
    case string([UInt8])
    case number(JSONDecimal)
    case bool(Bool)
    case null
}

/// A value found by the last scan: a view, valid until the next scan or until the document goes.
package struct JSONFound {
    package let kind: JSONKind
    /// The JSON text exactly as received, quotes included.
    package let text: UnsafeRawBufferPointer

    /// Strings are compared by their decoded code points, numbers by value.
    package func equals(_ scalar: JSONScalar) -> Bool {
        switch scalar {
        case .string(let content): kind == .string && content.withUnsafeBytes { JSONString(text).equals($0) }
        case .number(let decimal): kind == .number && decimal.comparison(of: text) == 0
        case .bool(let value): kind == .bool && (text.first == UInt8(ascii: "t")) == value
        case .null: kind == .null
        }
    }

    /// A string's decoded content, or the JSON text of a number, boolean or null, is these bytes.
    package func scalarTextEquals(_ bytes: [UInt8]) -> Bool {
        switch kind {
        case .string: bytes.withUnsafeBytes { JSONString(text).equals($0) }
        case .number, .bool, .null: text.elementsEqual(bytes)
        case .array, .object: false
        }
    }

    /// This is a number, and not less than the number whose text is given.
    package func isAtLeast(_ decimal: [UInt8]) -> Bool {
        guard kind == .number, let decimal = JSONDecimal(decimal) else { return false }
        return decimal.comparison(of: text) >= 0
    }

    /// This is an object without members.
    package var isEmptyObject: Bool {
        guard kind == .object, let text = JSONText(text) else { return false }
        return text.skipWhitespace(from: 1) == text.count &- 1
    }
}
