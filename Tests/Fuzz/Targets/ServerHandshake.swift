import WebSocket

/// Any bytes as a client's request of the opening handshake. Our own client understands whatever is answered.
func examine(_ given: Input) {
    var input = given
    let headSizeMax = input.flag() ? 300 : HTTPHead.sizeMax
    let cut = input.choice() << 8 | input.choice()
    switch sameForAllSplits(input.takeRest(), cut: cut, { read($0, headSizeMax: headSizeMax) }) {
    case .accepted(let request): answer(request)
    case .refused(let error): refuse(error)
    case .unfinished: break
    }
}

private struct Request: Equatable {
    let resource: [UInt8]
    let host: [UInt8]
    let key: [UInt8]
    let origin: [UInt8]?
    let subprotocols: [[UInt8]]
    let extensions: [ArraySlice<UInt8>]
    let rest: [UInt8]
}

private enum Outcome: Equatable {
    case accepted(Request)
    case refused(RequestError)
    case unfinished
}

private func read(_ chunks: [ArraySlice<UInt8>], headSizeMax: Int) -> Outcome {
    var handshake = ServerHandshake(headSizeMax: headSizeMax)
    for (index, chunk) in chunks.enumerated() {
        let outcome = withBlock(chunk) { block -> Outcome? in
            var consumed = 0
            do throws(RequestError) {
                guard let request = try handshake.read(UnsafeRawBufferPointer(block), consumed: &consumed) else {
                    require(consumed == block.count, "wants input but left \(block.count - consumed) bytes")
                    return nil
                }
                let rest = [UInt8](block[consumed...]) + chunks[(index + 1)...].joined()
                return .accepted(
                    Request(
                        resource: request.resource, host: request.host, key: request.key, origin: request.origin,
                        subprotocols: request.subprotocols, extensions: request.extensions, rest: rest))
            } catch {
                return .refused(error)
            }
        }
        if let outcome { return outcome }
    }
    return .unfinished
}

private func answer(_ request: Request) {
    require(request.resource.first == 0x2F && request.key.count == 24 && !request.host.isEmpty, "\(request)")
    require((request.resource + request.host + request.key).allSatisfy { $0 > 0x20 && $0 < 0x7F }, "unprintable bytes: \(request)")
    let proof = [UInt8]("proof".utf8)
    let deflate = PermessageDeflate.accept(request.extensions, limits: DeflateParameters())
    let answer = ServerHandshake.acceptance(proof: proof, subprotocol: request.subprotocols.first, extensions: deflate?.answer)
    var client = ClientHandshake(
        nonce: HandshakeNonce(key: request.key, accept: proof), subprotocols: request.subprotocols, compression: DeflateParameters())
    let agreed = withBlock(answer[...]) { block -> Agreement? in
        var consumed = 0
        do throws(HandshakeError) {
            return try client.read(UnsafeRawBufferPointer(block), consumed: &consumed)
        } catch {
            fatalError("our client refuses the answer to \(request): \(error)")
        }
    }
    require(agreed?.subprotocol == request.subprotocols.first ?? [], "the subprotocol is \(String(describing: agreed?.subprotocol))")
    require(agreed?.compression == deflate?.parameters, "compression is \(String(describing: agreed?.compression))")
}

private func refuse(_ error: RequestError) {
    let nonce = HandshakeNonce(key: [], accept: [])
    var client = ClientHandshake(nonce: nonce, subprotocols: [])
    withBlock(error.response[...]) { block in
        var consumed = 0
        do throws(HandshakeError) {
            _ = try client.read(UnsafeRawBufferPointer(block), consumed: &consumed)
            fatalError("our client accepts the answer to \(error)")
        } catch .refused(let refusal) {
            require(refusal.status == error.status && !refusal.body.isEmpty, "our client reads \(refusal) for \(error)")
        } catch let unreadable {
            fatalError("our client cannot read the answer to \(error): \(unreadable)")
        }
    }
}
