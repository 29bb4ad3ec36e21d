import WebSocket

/// Any bytes as the payload of a close frame, against the rules of RFC 6455 section 5.5.1 in their plainest form.
func examine(_ given: Input) {
    var input = given
    let payload = input.takeRest()
    let frame = withBlock(payload[...]) { block -> CloseFrame? in
        do throws(ProtocolError) {
            return try CloseFrame(payload: UnsafeRawBufferPointer(block))
        } catch {
            require(error.closeCode == 1002 || error.closeCode == 1007, "answered with \(error.closeCode)")
            return nil
        }
    }
    require((frame != nil) == isValid(payload), "read as \(String(describing: frame))")
    if let frame { require(frame.payload == [UInt8](payload.prefix(125)), "written as \(frame.payload)") }
}

private func isValid(_ payload: [UInt8]) -> Bool {
    if payload.isEmpty { return true }
    guard payload.count >= 2, String(validating: payload[2...], as: UTF8.self) != nil else { return false }
    let code = Int(payload[0]) * 256 + Int(payload[1])
    return (1000...1014).contains(code) && !(1004...1006).contains(code) || (3000...4999).contains(code)
}
