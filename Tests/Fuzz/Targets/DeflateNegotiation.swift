import WebSocket

/// Any text as Sec-WebSocket-Extensions fields, one a line: as a client's offers and as a server's answer.
func examine(_ given: Input) {
    var input = given
    let wanted = parameters(&input)
    let text = input.takeRest()
    let fields = text.split(separator: 0x0A, omittingEmptySubsequences: false)

    if let accepted = PermessageDeflate.accept(fields, limits: wanted) {
        requireWithin(wanted, accepted.parameters)
        // Whoever leaves everything open reads the answer as it was meant.
        let read = agree([accepted.answer[...]], offer: DeflateParameters())
        require(read == accepted.parameters, "answered \(accepted.answer) for \(accepted.parameters), read as \(String(describing: read))")
    }
    if let agreed = agree(fields, offer: wanted) { requireWithin(wanted, agreed) }

    // Our own server has an answer to our own offer that our own client agrees to.
    guard let answer = PermessageDeflate.accept([PermessageDeflate.offer(wanted)[...]], limits: DeflateParameters()) else {
        fatalError("no answer to the offer of \(wanted)")
    }
    require(agree([answer.answer[...]], offer: wanted) == answer.parameters, "no agreement on \(wanted)")
}

private func parameters(_ input: inout Input) -> DeflateParameters {
    var wanted = DeflateParameters()
    wanted.clientWindowBits = 9 + input.choice() % 7
    wanted.serverWindowBits = 9 + input.choice() % 7
    wanted.clientContextTakeover = input.flag()
    wanted.serverContextTakeover = input.flag()
    return wanted
}

private func agree(_ fields: [ArraySlice<UInt8>], offer: DeflateParameters) -> DeflateParameters? {
    do throws(HandshakeError) {
        return try PermessageDeflate.agreed(fields, offer: offer)
    } catch {
        require(error == .unaskedExtension || error == .invalidExtensionParameters, "\(error)")
        return nil
    }
}

/// What is agreed on gives neither side more than was wanted.
private func requireWithin(_ wanted: DeflateParameters, _ agreed: DeflateParameters) {
    require(
        (8...wanted.clientWindowBits).contains(agreed.clientWindowBits) && (8...wanted.serverWindowBits).contains(agreed.serverWindowBits)
            && (wanted.clientContextTakeover || !agreed.clientContextTakeover)
            && (wanted.serverContextTakeover || !agreed.serverContextTakeover),
        "wanted \(wanted), agreed on \(agreed)")
}
