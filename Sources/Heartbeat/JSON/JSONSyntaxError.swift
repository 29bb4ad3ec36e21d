import WebSocket

/// Why a text is no JSON document, and where.
package struct JSONSyntaxError: Error, Equatable {
    package enum Problem: UInt8 {
        case unfinished
        case value
        case nameOrEnd
        case name
        case colon
        case commaOrEnd
        case trailing
        case literal
        case digit
        case escape
        case hexDigit
        case controlCharacter
        case tooDeep
    }

    /// The index of the byte that cannot stand where it stands; the length of the text if more had to come.
    package let offset: Int
    package let problem: Problem

    package var sentence: String { "\(reason) (byte \(offset))" }

    private var reason: String {
        switch problem {
        case .unfinished: "the JSON text ends before it is complete"
        case .value: "a JSON value must begin here: an object, an array, a string in double quotes, a number, true, false or null"
        case .nameOrEnd: "a member's name in double quotes or } must follow here"
        case .name: "a member's name in double quotes must follow here"
        case .colon: "a colon must follow the member's name here"
        case .commaOrEnd: "a comma or the end of the object or array must follow here"
        case .trailing: "nothing may follow the JSON value"
        case .literal: "only true, false and null are written without quotes"
        case .digit: "a digit must follow here"
        case .escape: "a backslash in a string must be followed by one of \"\\/bfnrtu"
        case .hexDigit: "\\u must be followed by four hexadecimal digits"
        case .controlCharacter: "a control character in a string must be written as an escape, such as \\n or \\u0000"
        case .tooDeep: "objects and arrays may be nested \(JSONText.depthMax) deep"
        }
    }
}
