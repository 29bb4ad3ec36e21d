import Heartbeat
import WebSocket

/// Any bytes as messages of each framing: what separators and a stream of packets must give is known from a slower way to find it.
func examine(_ given: Input) {
    var input = given
    let framings: [UnitSplit?] = [nil, .lineFeed, .carriageReturnLineFeed, .recordSeparator, .tradingView, .varint, .mqtt]
    let split = framings[input.choice() % framings.count]
    if case .mqtt = split { return examinePackets(input) }
    let kind: MessageKind = input.flag() ? .text : .binary
    let message = input.takeRest()
    requireInside(split, message, kind)
    var splitter = UnitSplitter(split)
    let units = units(&splitter, message[...], kind)
    switch split {
    case nil: require(units == [message], "not the message: \(units)")
    case .lineFeed: require(units == separated(message, by: [0x0A]), "other lines: \(units)")
    case .carriageReturnLineFeed: require(units == separated(message, by: [0x0D, 0x0A]), "other lines: \(units)")
    case .recordSeparator: require(units == separated(message, by: [0x1E]), "other records: \(units)")
    case .tradingView, .varint, .mqtt: break
    }
}

/// Units are not copied: they lie in the message, one behind the other.
private func requireInside(_ split: UnitSplit?, _ message: [UInt8], _ kind: MessageKind) {
    var splitter = UnitSplitter(split)
    message.withUnsafeBytes { message in
        splitter.begin(message, kind: kind)
        var end = message.baseAddress
        while let unit = splitter.next() {
            guard let start = unit.baseAddress, let before = end, let first = message.baseAddress else { continue }
            require(start >= before && start + unit.count <= first + message.count, "a unit outside of its message")
            require(!unit.isEmpty || unit.count == message.count, "an empty unit")
            end = start + unit.count
        }
    }
}

private func separated(_ message: [UInt8], by separator: [UInt8]) -> [[UInt8]] {
    var parts: [[UInt8]] = [[]]
    var rest = message[...]
    while let byte = rest.first {
        if rest.starts(with: separator) {
            parts.append([])
            rest = rest.dropFirst(separator.count)
        } else {
            parts[parts.count - 1].append(byte)
            rest = rest.dropFirst()
        }
    }
    return parts.filter { !$0.isEmpty }
}

private func examinePackets(_ given: Input) {
    var input = given
    var messages: [[UInt8]] = []
    for _ in 0..<(input.choice() % 8) { messages.append(input.take(input.choice() % 100)) }
    messages.append(input.takeRest())
    var splitter = UnitSplitter(.mqtt)
    let received = messages.flatMap { units(&splitter, $0[...], .binary) }
    let (packets, isWellFormed) = packets(messages)
    require(received.starts(with: packets), "received \(received)\nsent \(packets)")
    if isWellFormed { require(received.count == packets.count, "received \(received)\nsent \(packets)") }
}

/// The packets of the stream up to one with a malformed length, but for those that are too large to be put together again.
private func packets(_ messages: [[UInt8]]) -> (packets: [[UInt8]], isWellFormed: Bool) {
    let stream = messages.flatMap { $0 }
    var cuts: [Int] = []
    for message in messages { cuts.append((cuts.last ?? 0) + message.count) }
    var packets: [[UInt8]] = []
    var start = 0
    while start < stream.count {
        let digits = stream[(start + 1)...].prefix(4)
        guard let last = digits.firstIndex(where: { $0 < 0x80 }) else { return (packets, digits.count < 4) }
        let length = digits[...last].reversed().reduce(0) { $0 * 128 + Int($1 & 0x7F) }
        let end = last + 1 + length
        guard end <= stream.count else { break }
        let isCut = cuts.contains { $0 > start && $0 < end }
        if !isCut || end - start <= 64 { packets.append([UInt8](stream[start..<end])) }
        start = end
    }
    return (packets, true)
}
