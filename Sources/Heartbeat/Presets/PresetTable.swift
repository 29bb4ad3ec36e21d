import WebSocket

/// All presets. Configuration, tests, `hw_preset_describe` and the README beside this file come from here.
package enum PresetTable {
    package static let presets: [Preset] = exchanges + marketData + applications

    /// The preset of this name, or the name that was probably meant if there is none.
    package static func find(_ name: [UInt8]) -> (preset: Preset?, suggestion: String?) {
        let (index, suggestion) = NameSearch.find(name, in: presets.map { ASCII.bytes($0.name) })
        return (index.map { presets[$0] }, suggestion)
    }
}
