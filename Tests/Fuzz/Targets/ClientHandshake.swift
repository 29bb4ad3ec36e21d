import WebSocket

/// Any bytes as a server's answer to the opening handshake.
func examine(_ given: Input) {
    var input = given
    let offer = Offer(
        compression: input.flag() ? DeflateParameters() : nil,
        subprotocols: input.flag() ? ["chat", "superchat"].map { [UInt8]($0.utf8) } : [], followsRedirects: input.flag(),
        headSizeMax: input.flag() ? 300 : HTTPHead.sizeMax)
    let cut = input.choice() << 8 | input.choice()
    let answer = sameForAllSplits(input.takeRest(), cut: cut) { offer.answer($0) }
    switch answer {
    case .agreed(let subprotocol, let compression, _):
        require(subprotocol.isEmpty || offer.subprotocols.contains(subprotocol), "agreed on \(subprotocol)")
        require(compression == nil || offer.compression != nil, "agreed on compression")
    case .refused(.refused(let refusal)):
        follow(refusal)
    case .refused, .unfinished:
        break
    }
}

private enum Answer: Equatable {
    case agreed(subprotocol: [UInt8], DeflateParameters?, rest: [UInt8])
    case refused(HandshakeError)
    /// More input is needed; the refusal so far, if it is one.
    case unfinished(HandshakeError?)
}

private struct Offer {
    let compression: DeflateParameters?
    let subprotocols: [[UInt8]]
    let followsRedirects: Bool
    let headSizeMax: Int

    func answer(_ chunks: [ArraySlice<UInt8>]) -> Answer {
        // The key and its proof from RFC 6455 section 1.3, and the time of RFC 9110's examples.
        let nonce = HandshakeNonce(key: [UInt8]("dGhlIHNhbXBsZSBub25jZQ==".utf8), accept: [UInt8]("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8))
        var handshake = ClientHandshake(
            nonce: nonce, subprotocols: subprotocols, compression: compression, headSizeMax: headSizeMax,
            followsRedirects: followsRedirects, unixTime: 784_111_777)
        for (index, chunk) in chunks.enumerated() {
            let answer = withBlock(chunk) { read($0, &handshake, after: chunks[(index + 1)...]) }
            if let answer { return answer }
        }
        return .unfinished(handshake.unfinishedRefusal)
    }

    private func read(
        _ block: UnsafeMutableRawBufferPointer, _ handshake: inout ClientHandshake, after: ArraySlice<ArraySlice<UInt8>>
    ) -> Answer? {
        var consumed = 0
        do throws(HandshakeError) {
            guard let agreed = try handshake.read(UnsafeRawBufferPointer(block), consumed: &consumed) else {
                require(consumed == block.count, "wants input but left \(block.count - consumed) bytes")
                return nil
            }
            return .agreed(subprotocol: agreed.subprotocol, agreed.compression, rest: [UInt8](block[consumed...]) + after.joined())
        } catch .head(.tooLarge) {
            // What does not begin like HTTP is malformed from its first chunk on, if that does not go beyond the limit.
            return .refused(.head(.malformedStartLine))
        } catch {
            return .refused(error)
        }
    }
}

/// Goes where a refusal points to.
private func follow(_ refusal: HTTPRefusal) {
    let text = [UInt8]("wss://host:81/a/b?c".utf8)
    guard let base = readURL({ () throws(URLError) in try URL(parsing: text) }) else { fatalError("no base") }
    var route = Route(to: base, redirectsMax: 1)
    do throws(RedirectError) {
        if try route.follow(refusal) { requireUsable(route.url) }
    } catch {
        require(error != .tooMany(limit: 1), "the first redirect is one too many")
    }
    require(route.url.isSecure, "left wss")
}
