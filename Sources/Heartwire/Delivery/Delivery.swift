import CHeartwire
import Heartbeat
import Session
import WebSocket

/// How one connection's messages and events reach the host.
struct Delivery {
    private enum Mode {
        /// Callbacks on the I/O thread.
        case inline
        /// An inbox of the connection's own, emptied by the dispatcher, which runs the callbacks.
        case dispatcher(Inbox)
        /// An inbox of the host's.
        case inbox(Inbox)
    }

    private let mode: Mode
    private let onMessages: (callback: hw_messages_callback, context: UnsafeMutableRawPointer?)?
    private let onEvent: (callback: hw_event_callback, context: UnsafeMutableRawPointer?)?
    /// Gets what is asked before an attempt; nil if that goes where all events go.
    private let beforeConnect: (callback: hw_event_callback, context: UnsafeMutableRawPointer?)?
    private let beforeAccept: (callback: hw_event_callback, context: UnsafeMutableRawPointer?)?
    let inboxContext: UnsafeMutableRawPointer?
    private let detector: Detector?
    private let detectsInline: Bool

    init(_ plan: ConnectionPlan) {
        detector = plan.settings.onDetect.map { Detector($0.callback, $0.context, timeout: plan.session.heartbeat.response.timeout) }
        detectsInline = plan.detectsInline
        onMessages = plan.settings.onMessages
        onEvent = plan.settings.onEvent
        beforeAccept = plan.settings.beforeAccept.flatMap { hook in hook.callback.map { ($0, hook.context) } }
        beforeConnect = plan.settings.beforeConnect.flatMap { hook in hook.callback.map { ($0, hook.context) } }
        inboxContext = plan.delivery == .inbox ? plan.settings.inbox?.context : nil
        switch (plan.delivery, plan.settings.inbox) {
        case (.inbox, let inbox?): mode = .inbox(inbox.inbox)
        case (.inline, _): mode = .inline
        case (.dispatcher, _), (.inbox, nil): mode = .dispatcher(Inbox(plan.inboxLimits))
        }
    }

    var hasCallbacks: Bool {
        switch mode {
        case .inline, .dispatcher: true
        case .inbox: false
        }
    }

    var usesDispatcher: Bool {
        switch mode {
        case .dispatcher: true
        case .inline, .inbox: false
        }
    }

    // MARK: On the I/O thread

    @_optimize(speed)
    func deliver(_ batch: UnsafeBufferPointer<Message>, _ origin: DeliveryOrigin, from connection: Connection) -> Inbox.Pushed {
        switch mode {
        case .dispatcher(let inbox):
            // Without anyone to take them, messages end here.
            let isWanted = onMessages != nil || (detector != nil && !detectsInline)
            return isWanted ? inbox.push(batch, origin, from: connection) : Inbox.Pushed()
        case .inbox(let inbox):
            return inbox.push(batch, origin, from: connection)
        case .inline:
            guard let onMessages else { return Inbox.Pushed() }
            let messages = connection.io.inlineMessages
            for (index, message) in batch.enumerated() {
                let data = message.payload.baseAddress ?? UnsafeRawPointer(messages)
                (messages + index).initialize(to: origin.message(message, at: data.assumingMemoryBound(to: UInt8.self)))
            }
            onMessages.callback(origin.handle, messages, batch.count, onMessages.context)
            return Inbox.Pushed()
        }
    }

    func deliver(
        _ record: EventRecord, _ origin: DeliveryOrigin, isLast: Bool, willTellLast: () -> Void, lastCallbackRan: () -> Void
    ) -> Inbox.Pushed {
        switch mode {
        case .dispatcher(let inbox):
            // Without anyone to take them, events end here, but for the last, which somebody may wait for.
            let isWanted = isLast || receiver(of: record.event.kind) != nil
            return isWanted ? inbox.push(record, origin, isLast: isLast) : Inbox.Pushed()
        case .inbox(let inbox):
            return inbox.push(record, origin, isLast: isLast)
        case .inline:
            if isLast { willTellLast() }
            if let receiver = receiver(of: record.event.kind) {
                let memory = Allocation(byteCount: record.size)
                receiver.callback(origin.handle, record.write(to: memory.base), receiver.context)
            }
            if isLast { lastCallbackRan() }
            return Inbox.Pushed()
        }
    }

    private func receiver(of kind: hw_event_kind) -> (callback: hw_event_callback, context: UnsafeMutableRawPointer?)? {
        switch Int(kind) {
        case Int(HW_EVENT_CONNECT_DUE): beforeConnect ?? onEvent
        case Int(HW_EVENT_ACCEPT_DUE): beforeAccept ?? onEvent
        default: onEvent
        }
    }

    /// Has the detector that chose this thread look at the messages.
    func detect(_ batch: UnsafeBufferPointer<Message>, _ origin: DeliveryOrigin, from connection: Connection) {
        guard let detector else { return }
        for message in batch {
            let data = message.payload.baseAddress ?? UnsafeRawPointer(connection.io.inlineMessages)
            var shown = origin.message(message, at: data.assumingMemoryBound(to: UInt8.self))
            withUnsafeMutablePointer(to: &shown) { detector.look(at: $0, from: connection, origin.handle) }
        }
    }

    /// Nothing more will come.
    func stop() {
        switch mode {
        case .inbox(let inbox): inbox.stop()
        case .inline, .dispatcher: break
        }
    }

    // MARK: On the dispatcher's thread

    /// Takes one lot from the inbox and runs the callbacks; true if more is waiting. A handle released from inside a
    /// callback gets nothing more but its last event.
    @_optimize(speed)
    func runCallbacks(
        for connection: Connection, _ deliveries: UnsafeMutablePointer<hw_delivery>, _ messages: UnsafeMutablePointer<hw_message>,
        capacity: Int, dropsDeliveries: () -> Bool, willTellLast: () -> Void, lastCallbackRan: () -> Void
    ) -> Bool {
        guard case .dispatcher(let inbox) = mode,
            case .deliveries(let count) = inbox.take(into: deliveries, capacity: capacity, until: Clock.now())
        else { return false }
        var index = 0
        while index < count {
            if let event = deliveries[index].event {
                let isLast = event.pointee.kind == hw_event_kind(HW_EVENT_RELEASED)
                if isLast { willTellLast() }
                if let receiver = receiver(of: event.pointee.kind), isLast || !dropsDeliveries() {
                    receiver.callback(deliveries[index].connection, event, receiver.context)
                }
                index += 1
                if isLast { lastCallbackRan() }
                continue
            }
            let start = index
            while index < count && deliveries[index].event == nil {
                (messages + (index - start)).initialize(to: deliveries[index].message)
                index += 1
            }
            if let detector, !detectsInline, !dropsDeliveries() {
                for place in 0..<(index - start) { detector.look(at: messages + place, from: connection, deliveries[start].connection) }
            }
            if let onMessages, !dropsDeliveries() {
                onMessages.callback(deliveries[start].connection, messages, index - start, onMessages.context)
            }
        }
        // A connection that falls quiet now must not hold on to memory until it speaks again.
        inbox.giveBack()
        return inbox.hasDeliveries
    }
}
