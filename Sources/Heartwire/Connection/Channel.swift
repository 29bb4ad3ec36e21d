import Session

/// The transport of one of a connection's places, and the attempt to open it. The I/O thread owns all of it; the transport is guarded by the
/// connection's lock as well, because senders write to it.
final class Channel {
    let place: LinkPlace
    var transport: Transport
    var connector: Connector?
    var lookup: UInt64?
    /// Tells the present attempt from earlier ones and from the other place's: an event or answer that belongs to those is recognised by it.
    var serial: UInt32 = 0
    var isReadingPaused = false

    init(_ place: LinkPlace, poller: Poller) {
        self.place = place
        transport = Transport(poller: poller)
    }

    /// Only the I/O thread attaches and closes streams, so it may look without the lock.
    var hasStream: Bool { transport.stream != nil }
}
