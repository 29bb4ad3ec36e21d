import WebSocket

/// Any bytes as a URL: what is accepted can go into a request head, and reads the same when written out again.
func examine(_ given: Input) {
    var input = given
    let text = input.takeRest()
    guard let url = parse(text) else { return }
    require(url.resource.first == 0x2F && url.port > 0 && !url.host.isEmpty, "\(url)")
    require((url.hostField + url.resource).allSatisfy { $0 > 0x20 && $0 < 0x7F }, "unprintable bytes: \(url)")
    // The Host field leaves an address's zone out.
    if url.isIPv6 && url.host.contains(0x25) { return }
    let written = [UInt8]((url.isSecure ? "wss://" : "ws://").utf8) + url.hostField + url.resource
    require(written.count > URL.sizeMax || parse(written) == url, "\(url) is read differently when written out")
}

private func parse(_ text: [UInt8]) -> URL? {
    do throws(URLError) {
        return try URL(parsing: text)
    } catch {
        require(!error.sentence.isEmpty, "no sentence for \(error)")
        return nil
    }
}
