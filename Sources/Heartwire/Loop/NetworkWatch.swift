import CSystem
import Heartbeat

/// Tells when an address or a route of the machine has changed.
struct NetworkWatch {
    let descriptor: Int32
    private var messages = NetworkMessages()
    /// When the changes that have been read are to be told.
    private(set) var deadline: Instant?

    /// Changes come in bursts: those that follow the first within this time are told with it.
    private static let burst = Interval.milliseconds(500)
    /// Read in a turn.
    private static let datagramsMax = 64

    /// Nil where the kernel refuses it, as in a sandbox.
    init?() {
        descriptor = hws_network_changes()
        if descriptor < 0 { return nil }
    }

    /// Reads what waits at the descriptor; false if nothing will come any more.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer, _ now: Instant) -> Bool {
        for _ in 0..<Self.datagramsMax {
            let count = hws_network_changes_read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                if messages.tellOfChange(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { noteChange(now) }
                continue
            }
            let code = hws_errno()
            if hws_would_block(code) != 0 { return true }
            // More than the socket could hold has happened.
            guard code == ENOBUFS else { return false }
            noteChange(now)
        }
        return true
    }

    private mutating func noteChange(_ now: Instant) {
        if deadline == nil { deadline = now + Self.burst }
    }

    /// True once for each burst of changes.
    mutating func takeChange(_ now: Instant) -> Bool {
        guard let deadline, now >= deadline else { return false }
        self.deadline = nil
        return true
    }
}
