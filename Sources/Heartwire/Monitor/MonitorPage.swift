import WebSocket

/// The monitor's page, as it is served: compressed, which every browser takes.
enum MonitorPage {
    /// Header lines. The page may run its own script and style and talk to its own server, and nothing else.
    private static var fields: [[UInt8]] {
        ASCII.words(
            """
            Content-Type: text/html; charset=utf-8
            Content-Encoding: gzip
            Content-Security-Policy: default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
            frame-ancestors 'none'; script-src 'sha256-5U9MGJBJta5qqNdRpmc5P4t/nzRKx4mv1MGOdUcD+BE='; \
            style-src 'sha256-6QJLFYWm4SHyi+K6Fm9fxTWpnim3u7t4V0/1/CPyYKU='
            X-Content-Type-Options: nosniff
            Referrer-Policy: no-referrer
            Cache-Control: no-store
            """, separator: 0x0A)
    }

    static func answer(isHead: Bool) -> [UInt8] {
        ServerHandshake.answer(status: 200, fields: fields, body: PackageResources.monitor_html_gz, isHead: isHead)
    }
}
