import CHeartwire
import Heartbeat
import Session
import WebSocket

/// The graceful end of all connections of the process.
enum Shutdown {
    /// What is cut off ends at once, unless a callback of the host's blocks the I/O thread.
    private static let cutOffTime = Interval.seconds(1)

    static func run(_ library: Library, until deadline: Instant?) -> hw_shutdown_report {
        let frame = CloseFrame(code: CloseCode.goingAway, reason: [])
        for listener in library.handles.listeners { listener.stopAccepting() }
        let closing = library.handles.connections.filter { $0.closeIfOpen(frame) }
        let late = unended(closing, by: deadline)
        for connection in late { connection.cutOff() }
        let stuck = unended(late, by: Clock.now() + cutOffTime)
        return report(closing, stuck)
    }

    /// Waits for the end of all, not beyond the deadline; gives those that have not ended by then.
    private static func unended(_ connections: [Connection], by deadline: Instant?) -> [Connection] {
        connections.filter { connection in
            if case .timeout = connection.wait(for: .disconnected, until: deadline) { true } else { false }
        }
    }

    private static func report(_ closed: [Connection], _ stuck: [Connection]) -> hw_shutdown_report {
        var report = hw_shutdown_report()
        report.connections = UInt32(clamping: closed.count)
        for connection in closed {
            let snapshot = connection.snapshot
            let isStuck = stuck.contains { $0 === connection }
            if isStuck || snapshot.session.wasCutOff { report.connections_cut += 1 }
            let messages = isStuck ? UInt64(snapshot.queuedMessages) : snapshot.session.messagesUnsent
            guard messages > 0 else { continue }
            report.connections_unsent += 1
            report.messages_unsent &+= messages
            report.bytes_unsent &+= isStuck ? UInt64(snapshot.queuedBytes) : snapshot.session.bytesUnsent
        }
        return report
    }
}
