import WebSocket

/// Why a text is no list of codes. `item` is what stands in the wrong place.
package enum RetryCodesError: Error, Equatable {
    case notACode(item: [UInt8])
    case twice(UInt16)

    package var sentence: String {
        switch self {
        case .notACode(let item):
            "takes HTTP statuses (100 to 599) and close codes (1000 to 4999) separated by commas, "
                + "not '\(String(utf8: item.prefix(20)))'"
        case .twice(let code): "has \(code) twice"
        }
    }
}

/// HTTP statuses and WebSocket close codes, as reconnect.final_codes and reconnect.retry_codes list them.
package struct RetryCodes {
    private var codes: [UInt16] = []

    package init() {}

    /// An empty text lists none.
    package init(parsing text: [UInt8]) throws(RetryCodesError) {
        guard !text.isEmpty else { return }
        for part in ASCII.split(text[...], at: 0x2C) {
            let item = ASCII.trimmed(part)
            guard let number = ASCII.decimal(item, max: 4999), number >= 100, number < 600 || number >= 1000 else {
                throw .notACode(item: [UInt8](item))
            }
            let code = UInt16(number)
            // No list can be longer than there are codes.
            guard !contains(code) else { throw .twice(code) }
            codes.append(code)
        }
    }

    package func contains(_ code: UInt16) -> Bool { codes.contains(code) }

    /// A code that stands in both.
    package func firstShared(with other: RetryCodes) -> UInt16? { codes.first { other.contains($0) } }
}
