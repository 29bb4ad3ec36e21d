import WebSocket

/// Messages that are sent again on every new connection, such as subscriptions: each under a key, in the order in which the keys were first
/// given.
package struct KeptMessages {
    package enum Admission {
        case kept
        case full
        case tooLarge
    }

    private struct Entry {
        let key: [UInt8]
        var kind: MessageKind
        var payload: [UInt8]
        /// False once it was removed: its place goes with the next clearing up.
        var isKept = true
    }

    private let messagesMax: Int
    private let bytesMax: Int
    private var entries: [Entry] = []
    private var index = HashIndex()
    package private(set) var count = 0
    /// Of the messages, without their keys.
    package private(set) var byteCount = 0

    package init(messagesMax: Int, bytesMax: Int) {
        self.messagesMax = messagesMax
        self.bytesMax = bytesMax
    }

    /// Keeps the message under the key, in the place of the one that is there.
    package mutating func keep(_ key: UnsafeRawBufferPointer, _ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Admission {
        let number = number(of: key)
        let replaced = number.map { entries[$0].payload.count } ?? 0
        let admission = admission(size: payload.count, replacing: number == nil ? nil : replaced)
        guard case .kept = admission else { return admission }
        byteCount = byteCount &- replaced &+ payload.count
        if let number {
            entries[number].kind = kind
            entries[number].payload = [UInt8](payload)
        } else {
            entries.append(Entry(key: [UInt8](key), kind: kind, payload: [UInt8](payload)))
            index.append(HashIndex.hash(key))
            count &+= 1
        }
        return .kept
    }

    /// Whether `keep` would take a message of this size.
    package func admission(_ key: UnsafeRawBufferPointer, size: Int) -> Admission {
        admission(size: size, replacing: number(of: key).map { entries[$0].payload.count })
    }

    private func admission(size: Int, replacing replaced: Int?) -> Admission {
        guard size <= bytesMax else { return .tooLarge }
        return (replaced != nil || count < messagesMax) && size <= bytesMax &- byteCount &+ (replaced ?? 0) ? .kept : .full
    }

    /// Does nothing if there is no such key.
    package mutating func remove(_ key: UnsafeRawBufferPointer) {
        guard let number = number(of: key) else { return }
        byteCount &-= entries[number].payload.count
        count &-= 1
        entries[number].isKept = false
        entries[number].payload = []
        index.remove(number)
        if entries.count > 2 &* count &+ 16 { clearUp() }
    }

    package func forEach(_ body: (MessageKind, UnsafeRawBufferPointer) -> Void) {
        for entry in entries where entry.isKept { entry.payload.withUnsafeBytes { body(entry.kind, $0) } }
    }

    package mutating func removeAll() {
        entries = []
        index.removeAll()
        (count, byteCount) = (0, 0)
    }

    private func number(of key: UnsafeRawBufferPointer) -> Int? {
        var number = index.first(HashIndex.hash(key))
        while number != HashIndex.none {
            if entries[number].key.count == key.count, key.elementsEqual(entries[number].key) { return number }
            number = index.next(after: number)
        }
        return nil
    }

    private mutating func clearUp() {
        entries.removeAll { !$0.isKept }
        index.removeAll()
        for entry in entries { index.append(entry.key.withUnsafeBytes { HashIndex.hash($0) }) }
    }
}
