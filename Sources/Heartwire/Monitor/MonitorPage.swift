import CSystem
import WebSocket

/// The monitor's page, as it is served.
enum MonitorPage {
    private static var html: [UInt8] { PackageResources.monitor_html }

    /// Header lines. The page may run its own script and style and talk to its own server, and nothing else.
    static let fields: [[UInt8]] = [
        ASCII.bytes("Content-Type: text/html; charset=utf-8"),
        ASCII.bytes("Content-Security-Policy: default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; ")
            + ASCII.bytes("frame-ancestors 'none'; script-src ") + source("<script>", "</script>") + ASCII.bytes("; style-src ")
            + source("<style>", "</style>"),
        ASCII.bytes("X-Content-Type-Options: nosniff"),
        ASCII.bytes("Referrer-Policy: no-referrer"),
        ASCII.bytes("Cache-Control: no-store"),
    ]

    static func answer(isHead: Bool) -> [UInt8] { ServerHandshake.answer(status: 200, fields: fields, body: html, isHead: isHead) }

    /// The hash of what stands between two tags, as Content Security Policy names it.
    private static func source(_ start: StaticString, _ end: StaticString) -> [UInt8] {
        guard let from = index(of: start, from: 0).map({ $0 + start.utf8CodeUnitCount }), let to = index(of: end, from: from) else {
            return ASCII.bytes("'none'")
        }
        var hash = [UInt8](repeating: 0, count: 45)
        let isMade = html.withUnsafeBytes { hws_sha256_base64($0.baseAddress.map { $0 + from }, to - from, &hash) != 0 }
        hash.removeLast()
        return isMade ? ASCII.bytes("'sha256-") + hash + ASCII.bytes("'") : ASCII.bytes("'none'")
    }

    private static func index(of text: StaticString, from start: Int) -> Int? {
        let text = ASCII.bytes(text)
        return html.indices.first { $0 >= start && html[$0...].starts(with: text) }
    }
}
