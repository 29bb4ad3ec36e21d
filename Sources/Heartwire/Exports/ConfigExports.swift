import CHeartwire
import WebSocket

@_cdecl("hw_config_new") @implementation
public func hw_config_new(_ out: UnsafeMutablePointer<OpaquePointer?>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        guard let out = out as UnsafeMutablePointer<OpaquePointer?>? else { throw Arguments.missing("out") }
        out.pointee = try insert(Config())
    }
}

@_cdecl("hw_config_copy") @implementation
public func hw_config_copy(_ config: OpaquePointer!, _ out: UnsafeMutablePointer<OpaquePointer?>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let original = try Library.shared.handles.config(config).get()
        guard let out = out as UnsafeMutablePointer<OpaquePointer?>? else { throw Arguments.missing("out") }
        out.pointee = try insert(Config(original.snapshot))
    }
}

private func insert(_ config: Config) throws(ErrorDetails) -> OpaquePointer {
    guard let handle = Library.shared.handles.insert(.config(config)) else {
        throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_SYSTEM, "there are too many handles")
    }
    return handle
}

@_cdecl("hw_config_free") @implementation
public func hw_config_free(_ config: OpaquePointer!) {
    _ = Library.shared.handles.remove(config, .config)
}

@_cdecl("hw_config_set") @implementation
public func hw_config_set(
    _ config: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value: UnsafePointer<CChar>!, _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        guard let name = Arguments.text(name) else { throw Arguments.missing("name") }
        guard let value = Arguments.text(value) else { throw Arguments.missing("value") }
        try config.set(name, value)
    }
}

@_cdecl("hw_config_set_bytes") @implementation
public func hw_config_set_bytes(
    _ config: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ data: UnsafeRawPointer!, _ size: Int,
    _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        guard let name = Arguments.text(name) else { throw Arguments.missing("name") }
        guard let value = Arguments.bytes(data, size) else { throw Arguments.missing("data") }
        try config.set(name, [UInt8](value.prefix(PropertyValue.pemSizeMax + 1)))
    }
}

@_cdecl("hw_config_get") @implementation
public func hw_config_get(
    _ config: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
    _ size: UnsafeMutablePointer<Int>!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        guard let name = Arguments.text(name) else { throw Arguments.missing("name") }
        try Arguments.write(try config.get(name), to: buffer, capacity: capacity, size: size)
    }
}

@_cdecl("hw_config_describe") @implementation
public func hw_config_describe(_ index: Int, _ out: UnsafeMutablePointer<hw_property>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        guard let out = out as UnsafeMutablePointer<hw_property>? else { throw Arguments.missing("out") }
        guard PropertyTable.properties.indices.contains(index) else {
            throw ErrorDetails(HW_E_RANGE, HW_LAYER_NONE, "there are \(PropertyTable.properties.count) properties")
        }
        guard CStruct.write(PropertyTable.properties[index].description, to: out) else {
            throw .argument("struct_size must be set to sizeof(hw_property)")
        }
    }
}

extension Property {
    fileprivate var description: hw_property {
        var result = hw_property()
        result.type = hw_property_type(type)
        result.name = name.cString
        result.default_value = defaultValue.cString
        result.range = range.cString
        result.unit = unit.cString
        result.since = since.cString
        result.doc = doc.cString
        return result
    }

    private var type: Int {
        switch kind {
        case .boolean: HW_PROPERTY_BOOLEAN
        case .integer: HW_PROPERTY_INTEGER
        case .duration: HW_PROPERTY_DURATION
        case .size: HW_PROPERTY_SIZE
        case .choice: HW_PROPERTY_CHOICE
        case .text: HW_PROPERTY_TEXT
        case .bytes, .pem: HW_PROPERTY_BYTES
        }
    }
}

@_cdecl("hw_config_add_header") @implementation
public func hw_config_add_header(
    _ config: OpaquePointer!, _ name: UnsafePointer<CChar>!, _ value: UnsafePointer<CChar>!, _ error: UnsafeMutablePointer<hw_error>!
) -> hw_status {
    exported(error) { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        guard let name = Arguments.text(name) else { throw Arguments.missing("name") }
        guard let value = Arguments.text(value) else { throw Arguments.missing("value") }
        try config.addHeader(name: name, value: value)
    }
}

@_cdecl("hw_config_on_messages") @implementation
public func hw_config_on_messages(
    _ config: OpaquePointer!, _ callback: hw_messages_callback!, _ context: UnsafeMutableRawPointer!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        let callback = callback as hw_messages_callback?
        config.update { $0.onMessages = callback.map { ($0, context) } }
    }
}

@_cdecl("hw_config_on_event") @implementation
public func hw_config_on_event(
    _ config: OpaquePointer!, _ callback: hw_event_callback!, _ context: UnsafeMutableRawPointer!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        let callback = callback as hw_event_callback?
        config.update { $0.onEvent = callback.map { ($0, context) } }
    }
}

@_cdecl("hw_config_before_connect") @implementation
public func hw_config_before_connect(
    _ config: OpaquePointer!, _ callback: hw_event_callback!, _ context: UnsafeMutableRawPointer!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        let callback = callback as hw_event_callback?
        config.update { $0.beforeConnect = (callback, context) }
    }
}

@_cdecl("hw_config_before_accept") @implementation
public func hw_config_before_accept(
    _ config: OpaquePointer!, _ callback: hw_event_callback!, _ context: UnsafeMutableRawPointer!
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        let callback = callback as hw_event_callback?
        config.update { $0.beforeAccept = (callback, context) }
    }
}

@_cdecl("hw_config_set_inbox") @implementation
public func hw_config_set_inbox(_ config: OpaquePointer!, _ inbox: OpaquePointer!, _ context: UnsafeMutableRawPointer!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let config = try Library.shared.handles.config(config).get()
        let inbox = try Library.shared.handles.inbox(inbox).get()
        config.update {
            $0.inbox = (inbox, context)
            $0.set(.delivery, choice: ConnectionPlan.DeliveryMode.inbox.rawValue)
        }
    }
}
