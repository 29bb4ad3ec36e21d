import CHeartwire
import CSystem
import Heartbeat
import Session
import WebSocket

/// The way of messages and events to the host.
extension Connection {
    /// Runs callbacks for what the inbox holds; true if more is waiting.
    func runCallbacks(
        _ deliveries: UnsafeMutablePointer<hw_delivery>, _ messages: UnsafeMutablePointer<hw_message>, capacity: Int
    ) -> Bool {
        delivery.runCallbacks(
            for: self, deliveries, messages, capacity: capacity, dropsDeliveries: { isMuted }, willTellLast: { endHandle() },
            lastCallbackRan: { lastCallbackRan() })
    }

    /// A client's handle is the listener's, and lasts until the host hears that it is over. An inbox sees to that by itself.
    private func endHandle() {
        if listener != nil { _ = library.handles.remove(handle, .connection) }
    }

    func lastCallbackRan() {
        lock.withLock {
            lastCallbackDone = true
            changed.wake()
        }
    }

    @_optimize(speed)
    func deliver(_ batch: UnsafeBufferPointer<Message>, by channel: Channel) {
        guard !isMuted else { return }
        let origin = origin(session.epoch(of: channel.place))
        if plan.detectsInline { delivery.detect(batch, origin, from: self) }
        let pushed = delivery.deliver(batch, origin, from: self)
        if pushed.wasEmpty && delivery.usesDispatcher { library.dispatcher.schedule(self) }
        if pushed.dropped > 0 {
            lock.withLock { published.messagesDropped &+= pushed.dropped }
            let event = Event(kind: .messagesDropped(pushed.dropped), time: io.now, epoch: session.epoch, state: session.state)
            deliver(EventRecord(event), isLast: false)
        }
        if pushed.mustClose { lock.withLock { session.consumerTooSlow(channel.place, io.now, &outboxes) } }
        if pushed.mustPause && !channel.isReadingPaused {
            pauseReading(channel)
            session.emit(.readingPaused, io.now)
        }
    }

    func deliver(_ record: EventRecord, isLast: Bool) {
        guard isLast || !isMuted else { return }
        let pushed = delivery.deliver(
            record, origin(session.epoch), isLast: isLast, willTellLast: { endHandle() }, lastCallbackRan: { lastCallbackRan() })
        if isLast && pushed.isRefused { endHandle() }
        if pushed.wasEmpty && delivery.usesDispatcher { library.dispatcher.schedule(self) }
    }

    /// True once the handle was released from inside a callback.
    var isMuted: Bool { lock.withLock { dropsDeliveries } }

    func origin(_ epoch: UInt64) -> DeliveryOrigin {
        DeliveryOrigin(
            handle: handle, context: delivery.inboxContext, epoch: epoch, receivedNs: UInt64(bitPattern: io.now.nanoseconds))
    }
}
