import WebSocket

/// Any bytes as frames, in both roles.
func examine(_ given: Input) {
    var input = given
    let role: Role = input.flag() ? .server : .client
    let limits = MessageAssembler.Limits(messageSizeMax: input.flag() ? 48 : 65536, partSize: input.flag() ? 16 : nil)
    let cut = input.choice() << 8 | input.choice()
    _ = sameForAllSplits(input.takeRest(), cut: cut) { FrameReading(role: role, limits: limits).read($0) }
}
