import WebSocket

/// Any bytes as a URL, and as a reference in a redirect.
func examine(_ given: Input) {
    var input = given
    let text = input.takeRest()
    if let url = readURL({ () throws(URLError) in try URL(parsing: text) }) { requireUsable(url) }
    guard let base = readURL({ () throws(URLError) in try URL(parsing: [UInt8]("wss://user:secret@host:81/a/b;c/d?e".utf8)) }) else {
        fatalError("no base")
    }
    if let url = readURL({ () throws(URLError) in try base.resolve(text) }) {
        requireUsable(url)
        require(url.credentials == nil, "took credentials along: \(url)")
    }
}
