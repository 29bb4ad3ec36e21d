import WebSocket

/// What every accepted URL promises: it can go into a request head, and reads the same when written out again.
func requireUsable(_ url: URL) {
    require(url.resource.first == 0x2F && url.port > 0 && !url.host.isEmpty, "\(url)")
    require((url.hostField + url.resource).allSatisfy { $0 > 0x20 && $0 < 0x7F }, "unprintable bytes: \(url)")
    // The Host field leaves an address's zone out.
    if url.isIPv6 && url.host.contains(0x25) { return }
    let written = [UInt8]((url.isSecure ? "wss://" : "ws://").utf8) + url.hostField + url.resource
    guard written.count <= URL.sizeMax else { return }
    let read = readURL { () throws(URLError) in try URL(parsing: written) }
    require(
        read?.isSecure == url.isSecure && read?.host == url.host && read?.port == url.port && read?.resource == url.resource,
        "\(url), written out, is read as \(String(describing: read))")
}

/// The URL, or nil where there is an error, which must say something.
func readURL(_ read: () throws(URLError) -> URL) -> URL? {
    do throws(URLError) {
        return try read()
    } catch {
        require(!error.sentence.isEmpty, "no sentence for \(error)")
        return nil
    }
}
