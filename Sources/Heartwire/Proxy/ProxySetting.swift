import CHeartwire
import CSystem
import WebSocket

/// The property "proxy": which proxy leads to a server.
enum ProxySetting {
    case none
    case fixed(Proxy)
    case environment(ProxyEnvironment)

    /// `mayBePlain`: false if all that will be connected to is wss. `variable` gives the value of an environment variable, nil if it is unset; none is read
    /// unless the text asks for it.
    init(_ text: [UInt8], mayBePlain: Bool, variable: (StaticString) -> [UInt8]? = ProxyEnvironment.ofProcess) throws(ErrorDetails) {
        if text.isEmpty {
            self = .none
        } else if text.elementsEqual(ASCII.bytes("env")) {
            self = .environment(try ProxyEnvironment(mayBePlain: mayBePlain, variable))
        } else {
            do throws(ProxySettingError) {
                self = .fixed(try Proxy(parsing: text))
            } catch {
                throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'proxy' is malformed: \(error.sentence)")
            }
        }
    }

    /// The proxy to the server of `url`, nil if it is reached directly.
    func proxy(for url: URL) -> Proxy? {
        switch self {
        case .none: nil
        case .fixed(let proxy): proxy
        case .environment(let environment): environment.proxy(for: url)
        }
    }
}

/// The environment variables that name proxies, as they were when they were read, with curl's rules.
struct ProxyEnvironment {
    private let secure: Proxy?
    private let plain: Proxy?
    private let exceptions: [UInt8]

    /// An empty variable counts as unset. HTTP_PROXY in capitals is not looked at: to a program that a web server runs through CGI, it is what
    /// a client sent as the header Proxy. A connection that begins with wss never goes on with ws, so what holds for ws does not matter then.
    init(mayBePlain: Bool, _ variable: (StaticString) -> [UInt8]?) throws(ErrorDetails) {
        secure = try Self.proxy(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"], variable)
        plain = !mayBePlain ? nil : try Self.proxy(["http_proxy", "all_proxy", "ALL_PROXY"], variable)
        exceptions = Self.first(["no_proxy", "NO_PROXY"], variable)?.value ?? []
    }

    func proxy(for url: URL) -> Proxy? {
        NoProxy.covers(exceptions, host: url.host, port: url.port) ? nil : url.isSecure ? secure : plain
    }

    static func ofProcess(_ name: StaticString) -> [UInt8]? {
        name.withCString { getenv($0) }.map { [UInt8](UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
    }

    private static func first(
        _ names: [StaticString], _ variable: (StaticString) -> [UInt8]?
    ) -> (name: StaticString, value: [UInt8])? {
        for name in names {
            if let value = variable(name), !value.isEmpty { return (name, value) }
        }
        return nil
    }

    private static func proxy(_ names: [StaticString], _ variable: (StaticString) -> [UInt8]?) throws(ErrorDetails) -> Proxy? {
        guard let (name, value) = first(names, variable) else { return nil }
        do throws(ProxySettingError) {
            // Without a scheme it is an HTTP proxy.
            return try Proxy(parsing: Proxy.hasScheme(value) ? value : ASCII.bytes("http://") + value)
        } catch {
            let message = "property 'proxy' is env, and the environment variable \(name) is malformed: \(error.sentence)"
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, message)
        }
    }
}
