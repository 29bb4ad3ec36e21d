import CHeartwire
import Heartbeat

@_cdecl("hw_inbox_new") @implementation
public func hw_inbox_new(_ config: OpaquePointer!, _ out: UnsafeMutablePointer<OpaquePointer?>!) -> hw_status {
    exported { () throws(ErrorDetails) in
        let library = Library.shared
        guard let out = out as UnsafeMutablePointer<OpaquePointer?>? else { throw Arguments.missing("out") }
        let settings = config == nil ? Config.Settings() : try library.handles.config(config).get().snapshot
        guard let handle = library.handles.insert(.inbox(Inbox(Inbox.Limits(settings)))) else {
            throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_SYSTEM, "there are too many handles")
        }
        out.pointee = handle
    }
}

@_cdecl("hw_inbox_take") @implementation
public func hw_inbox_take(
    _ inbox: OpaquePointer!, _ deliveries: UnsafeMutablePointer<hw_delivery>!, _ capacity: Int, _ count: UnsafeMutablePointer<Int>!,
    _ timeout_ms: UInt32
) -> hw_status {
    exported { () throws(ErrorDetails) in
        let library = Library.shared
        let inbox = try library.handles.inbox(inbox).get()
        if timeout_ms > 0 && library.isLibraryThread {
            throw ErrorDetails(HW_E_IN_CALLBACK, HW_LAYER_NONE, "a callback must not wait; take with timeout_ms 0")
        }
        guard let deliveries = deliveries as UnsafeMutablePointer<hw_delivery>? else { throw Arguments.missing("deliveries") }
        guard let count = count as UnsafeMutablePointer<Int>? else { throw Arguments.missing("count") }
        guard capacity > 0 else { throw .argument("capacity is 0") }
        library.handles.endConnections(inbox.takeEnded())
        switch inbox.take(into: deliveries, capacity: capacity, until: Clock.deadline(milliseconds: timeout_ms)) {
        case .deliveries(let taken): count.pointee = taken
        case .timeout: throw ErrorDetails(HW_E_TIMEOUT, HW_LAYER_NONE, "nothing arrived in time")
        case .released: throw ErrorDetails(HW_E_HANDLE, HW_LAYER_NONE, "the inbox was released meanwhile")
        }
    }
}

@_cdecl("hw_inbox_fd") @implementation
public func hw_inbox_fd(_ inbox: OpaquePointer!) -> Int32 {
    guard case .found(let inbox) = Library.shared.handles.inbox(inbox) else { return -1 }
    return inbox.eventDescriptor
}

@_cdecl("hw_inbox_release") @implementation
public func hw_inbox_release(_ inbox: OpaquePointer!) {
    let handles = Library.shared.handles
    guard case .inbox(let inbox)? = handles.remove(inbox, .inbox) else { return }
    inbox.release()
    handles.endConnections(inbox.takeEnded())
}
