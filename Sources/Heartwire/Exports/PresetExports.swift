import CHeartwire
import Heartbeat
import WebSocket

@_cdecl("hw_preset_describe") @implementation
public func hw_preset_describe(_ index: Int, _ out: UnsafeMutablePointer<hw_preset>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        guard let out = out as UnsafeMutablePointer<hw_preset>? else { throw Arguments.missing("out") }
        guard presetDescriptions.indices.contains(index) else {
            throw ErrorDetails(HW_E_RANGE, HW_LAYER_NONE, "there are \(presetDescriptions.count) presets")
        }
        guard CStruct.write(presetDescriptions[index], to: out) else {
            throw .argument("struct_size must be set to sizeof(hw_preset)")
        }
    }
}

/// Made once, never changed, and kept as long as the process, since callers get pointers to the strings.
nonisolated(unsafe) private let presetDescriptions: [hw_preset] = PresetTable.presets.map { preset in
    var result = hw_preset()
    result.name = preset.name.cString
    result.services = preset.services.cString
    result.source = preset.source.cString
    result.rule = preset.rule.cString
    result.parameters = preset.parameters.isEmpty ? ("" as StaticString).cString : permanentCString(lines(preset.parameters))
    return result
}

/// Each as "name (unit, required): what it is".
private func lines(_ parameters: [PresetParameter]) -> [UInt8] {
    var result: [UInt8] = []
    for parameter in parameters {
        if !result.isEmpty { result += ASCII.bytes("\n") }
        let necessity: StaticString = parameter.isRequired ? "required" : "optional"
        let pieces: [StaticString] = [parameter.name, " (", parameter.unit, ", ", necessity, "): ", parameter.doc]
        for piece in pieces { result += ASCII.bytes(piece) }
    }
    return result
}

private func permanentCString(_ text: [UInt8]) -> UnsafePointer<CChar> {
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: text.count + 1)
    for (index, byte) in text.enumerated() { memory[index] = CChar(bitPattern: byte) }
    memory[text.count] = 0
    return UnsafePointer(memory)
}
