import CHeartwire
import WebSocket

/// By what name a connection counts in the metrics of the process.
enum MetricsName {
    static let sizeMax = 128

    static func of(_ settings: Config.Settings, _ url: URL) throws(ErrorDetails) -> [UInt8] {
        let name = settings.bytes(.metricsName)
        guard name.count <= sizeMax, name.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw ErrorDetails(
                HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'metrics.name' must have at most 128 bytes and no control characters")
        }
        return name.isEmpty ? url.endpoint : name
    }
}
