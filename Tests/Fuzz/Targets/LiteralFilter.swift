import Heartbeat

/// Any literals and any message, against a plain search.
func examine(_ given: Input) {
    var input = given
    let literals = (0..<input.choice() % 6).map { _ in input.take(input.choice() % 48) }
    let message = input.takeRest()
    let filter = LiteralFilter(literals)
    let isPassed = withBlock(message[...]) { filter.mayMatch(UnsafeRawBufferPointer($0)) }
    let isWanted = !literals.isEmpty && message.contains(0x5C) || literals.contains { contains(message, $0) }
    require(isPassed == isWanted, "\(isPassed ? "passed" : "held back") for \(literals)")
}

private func contains(_ message: [UInt8], _ literal: [UInt8]) -> Bool {
    message.count >= literal.count && (0...message.count - literal.count).contains { message[$0...].starts(with: literal) }
}
