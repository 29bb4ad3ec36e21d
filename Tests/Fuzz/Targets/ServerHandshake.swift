import WebSocket

/// Any bytes as a client's request for the opening handshake.
func examine(_ given: Input) {
    var input = given
    let headSizeMax = input.flag() ? 300 : HTTPHead.sizeMax
    let cut = input.choice() << 8 | input.choice()
    let answer = sameForAllSplits(input.takeRest(), cut: cut) { request(in: $0, headSizeMax: headSizeMax) }
    switch answer {
    case .asked(let request):
        require(request.resource.first == 0x2F && !request.host.isEmpty && request.key.count == 24, "accepted \(request)")
        require(request.resource.allSatisfy { $0 > 0x20 && $0 != 0x7F }, "a resource of \(request.resource)")
    case .refused(let error):
        require((400...599).contains(error.status) && !error.sentence.isEmpty, "refused with \(error.status)")
    case .unfinished:
        break
    }
}

private struct Asked: Equatable {
    let resource: [UInt8]
    let host: [UInt8]
    let key: [UInt8]
    let origin: [UInt8]?
    let subprotocols: [[UInt8]]
    let extensions: [[UInt8]]
    /// What follows the head, for the frame reader.
    let rest: [UInt8]
}

private enum Answer: Equatable {
    case asked(Asked)
    case refused(RequestError)
    case unfinished
}

private func request(in chunks: [ArraySlice<UInt8>], headSizeMax: Int) -> Answer {
    var handshake = ServerHandshake(headSizeMax: headSizeMax)
    for (index, chunk) in chunks.enumerated() {
        let answer = withBlock(chunk) { read($0, &handshake, after: chunks[(index + 1)...]) }
        if let answer { return answer }
    }
    return .unfinished
}

private func read(
    _ block: UnsafeMutableRawBufferPointer, _ handshake: inout ServerHandshake, after: ArraySlice<ArraySlice<UInt8>>
) -> Answer? {
    var consumed = 0
    do throws(RequestError) {
        guard let request = try handshake.read(UnsafeRawBufferPointer(block), consumed: &consumed) else {
            require(consumed == block.count, "wants input but left \(block.count - consumed) bytes")
            return nil
        }
        return .asked(
            Asked(
                resource: request.resource, host: request.host, key: request.key, origin: request.origin,
                subprotocols: request.subprotocols, extensions: request.extensions.map { [UInt8]($0) },
                rest: [UInt8](block[consumed...]) + after.joined()))
    } catch .head(.tooLarge) {
        // What is no request line is malformed from its first chunk on, if that does not go beyond the limit.
        return .refused(.head(.malformedStartLine))
    } catch {
        return .refused(error)
    }
}
