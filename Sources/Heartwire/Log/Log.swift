import CHeartwire
import WebSocket

/// The process's log: lines wait here, bounded, until the dispatcher hands them to the host.
final class Log: @unchecked Sendable {
    struct Line {
        let level: hw_log_level
        let text: [UInt8]
    }

    private let lock = Lock()
    private var level = hw_log_level(HW_LOG_OFF)
    private var receiver: (callback: hw_log_callback, context: UnsafeMutableRawPointer?)?
    private var lines: [Line] = []
    private var dropped = 0
    /// Called when there are lines after there were none.
    private var announce: () -> Void = {}

    private static let linesMax = 4096

    /// `announce` wakes whoever calls `deliver`.
    func start(_ announce: @escaping () -> Void) {
        lock.withLock { self.announce = announce }
    }

    func set(_ level: hw_log_level, _ receiver: (callback: hw_log_callback, context: UnsafeMutableRawPointer?)?) {
        lock.withLock {
            self.level = receiver == nil ? hw_log_level(HW_LOG_OFF) : level
            self.receiver = receiver
            lines = []
            dropped = 0
        }
    }

    /// True if lines of this level are wanted: only then is one worth writing.
    func wants(_ level: hw_log_level) -> Bool { lock.withLock { level <= self.level } }

    func write(_ level: hw_log_level, _ text: [UInt8]) {
        let announce = lock.withLock { () -> (() -> Void)? in
            guard level <= self.level else { return nil }
            if lines.count == Self.linesMax {
                lines.removeFirst(Self.linesMax / 2)
                dropped += Self.linesMax / 2
            }
            lines.append(Line(level: level, text: text))
            return lines.count == 1 ? self.announce : nil
        }
        announce?()
    }

    /// Hands over what waits; on the dispatcher's thread.
    func deliver() {
        var taken: [Line] = []
        let (receiver, dropped) = lock.withLock { () -> ((callback: hw_log_callback, context: UnsafeMutableRawPointer?)?, Int) in
            swap(&taken, &lines)
            defer { self.dropped = 0 }
            return (self.receiver, self.dropped)
        }
        guard let receiver else { return }
        if dropped > 0 {
            let text = [UInt8]("\(dropped) log lines were dropped: the log callback is too slow".utf8)
            taken.insert(Line(level: hw_log_level(HW_LOG_WARNING), text: text), at: 0)
        }
        for line in taken {
            line.text.withUnsafeBytes {
                receiver.callback(line.level, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, receiver.context)
            }
        }
    }
}
