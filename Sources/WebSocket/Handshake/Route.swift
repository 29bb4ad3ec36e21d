/// Why a redirect of the opening handshake (RFC 9110 section 15.4) is not followed.
package enum RedirectError: Error, Equatable {
    case tooMany(limit: Int)
    /// From wss to ws: what was to be secret would no longer be.
    case downgrade
    case target(URLError)

    /// What the server did, as the object of "the server ...".
    func phrase(_ refusal: HTTPRefusal) -> String {
        let target = HTTPRefusal.shown(refusal.location ?? [])
        switch self {
        case .tooMany(let limit): return "redirects on to \(target) after \(limit) redirects, which is redirects.max"
        case .downgrade: return "redirects from wss to \(target), which is not encrypted; such a redirect is never followed"
        case .target(let error): return "redirects to \(target), where no connection can go: \(error.sentence)"
        }
    }
}

/// Where an attempt goes: to the configured URL, or to where redirects have led it.
package struct Route {
    package private(set) var url: URL
    private var followed = 0
    private let redirectsMax: Int
    /// True once the attempt has gone to another origin than that of the configured URL. Coming back does not change it: the way there was
    /// someone else's choice.
    private var hasLeftOrigin: Bool

    /// `hasLeftOrigin`: `url` itself is somebody else's choice.
    package init(to url: URL, redirectsMax: Int, hasLeftOrigin: Bool = false) {
        self.url = url
        self.hasLeftOrigin = hasLeftOrigin
        self.redirectsMax = redirectsMax
    }

    package var followsRedirects: Bool { redirectsMax > 0 }

    /// Turns to where the refusal points, if it is a redirect and redirects are followed; false if it is not.
    package mutating func follow(_ refusal: HTTPRefusal) throws(RedirectError) -> Bool {
        guard followsRedirects, let location = refusal.redirection else { return false }
        guard followed < redirectsMax else { throw .tooMany(limit: redirectsMax) }
        let target: URL
        do throws(URLError) {
            target = try url.resolve(location)
        } catch {
            throw .target(error)
        }
        guard target.isSecure || !url.isSecure else { throw .downgrade }
        if !target.hasSameOrigin(as: url) { hasLeftOrigin = true }
        followed &+= 1
        url = target
        return true
    }

    /// Those of the application's header fields that may go to the present target. Any of them can be a credential, whatever its name, so another
    /// origin gets only the two that never are.
    package func allowed(_ lines: [[UInt8]]) -> [[UInt8]] {
        guard hasLeftOrigin else { return lines }
        return lines.filter { line in
            let name = line.prefix { $0 != 0x3A }
            return ASCII.equalsIgnoringCase(name, "origin") || ASCII.equalsIgnoringCase(name, "user-agent")
        }
    }
}
