import WebSocket

/// Any bytes as a server's answer to the opening handshake.
func examine(_ given: Input) {
    var input = given
    let offersCompression = input.flag()
    let subprotocols = input.flag() ? ["chat", "superchat"].map { [UInt8]($0.utf8) } : []
    let cut = input.choice() << 8 | input.choice()
    let result = sameForAllSplits(input.takeRest(), cut: cut) { chunks in
        answer(chunks, subprotocols: subprotocols, compression: offersCompression ? DeflateParameters() : nil)
    }
    guard case .agreed(let subprotocol, let compression, _) = result else { return }
    require(subprotocol.isEmpty || subprotocols.contains(subprotocol), "agreed on \(subprotocol)")
    require(compression == nil || offersCompression, "agreed on compression")
}

private enum Answer: Equatable {
    case agreed(subprotocol: [UInt8], DeflateParameters?, rest: [UInt8])
    case refused(HandshakeError)
    /// More input is needed; the refusal so far, if it is one.
    case unfinished(HandshakeError?)
}

private func answer(_ chunks: [ArraySlice<UInt8>], subprotocols: [[UInt8]], compression: DeflateParameters?) -> Answer {
    // The key and its proof from RFC 6455 section 1.3.
    let nonce = HandshakeNonce(key: [UInt8]("dGhlIHNhbXBsZSBub25jZQ==".utf8), accept: [UInt8]("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8))
    var handshake = ClientHandshake(nonce: nonce, subprotocols: subprotocols, compression: compression)
    for (index, chunk) in chunks.enumerated() {
        let answer = withBlock(chunk) { block -> Answer? in
            var consumed = 0
            do throws(HandshakeError) {
                guard let agreed = try handshake.read(UnsafeRawBufferPointer(block), consumed: &consumed) else {
                    require(consumed == block.count, "wants input but left \(block.count - consumed) bytes")
                    return nil
                }
                let rest = [UInt8](block[consumed...]) + chunks[(index + 1)...].joined()
                return .agreed(subprotocol: agreed.subprotocol, agreed.compression, rest: rest)
            } catch {
                require(!error.sentence.isEmpty, "no sentence for \(error)")
                return .refused(error)
            }
        }
        if let answer { return answer }
    }
    return .unfinished(handshake.unfinishedRefusal)
}
