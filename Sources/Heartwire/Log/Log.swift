import CHeartwire
import WebSocket

/// The process's log: lines wait here, bounded, until the dispatcher hands them to the host.
final class Log: @unchecked Sendable {
    struct Line {
        let level: hw_log_level
        let text: [UInt8]
    }

    private let lock = Lock()
    private let changed: Condition
    private var level = hw_log_level(HW_LOG_OFF)
    private var receiver: (callback: hw_log_callback, context: UnsafeMutableRawPointer?)?
    private var lines: [Line] = []
    private var dropped = 0
    /// The receiver has a line in its hands.
    private var isReceiving = false
    /// Called when there are lines after there were none.
    private var announce: () -> Void = {}

    private static let linesMax = 4096
    /// Lines handed over before the dispatcher turns to other callbacks, so that a slow receiver does not keep them back.
    private static let linesPerTurn = 16

    init() {
        changed = Condition(lock)
    }

    /// `announce` wakes whoever calls `deliver`.
    func start(_ announce: @escaping () -> Void) {
        lock.withLock { self.announce = announce }
    }

    /// `waits`: until the receiver before has returned, if it is running.
    func set(_ level: hw_log_level, _ receiver: (callback: hw_log_callback, context: UnsafeMutableRawPointer?)?, waits: Bool) {
        lock.withLock {
            self.level = receiver == nil ? hw_log_level(HW_LOG_OFF) : level
            self.receiver = receiver
            lines = []
            dropped = 0
            while waits && isReceiving { _ = changed.wait(until: nil) }
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

    /// Hands over some of what waits, on the dispatcher's thread; true if more does.
    func deliver() -> Bool {
        for _ in 0..<Self.linesPerTurn {
            guard let (line, receiver) = lock.withLock({ takeLine() }) else { return false }
            line.text.withUnsafeBytes {
                receiver.callback(line.level, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, receiver.context)
            }
            lock.withLock {
                isReceiving = false
                changed.wake()
            }
        }
        return lock.withLock { !lines.isEmpty }
    }

    /// Under the lock: the next line, and who receives it now.
    private func takeLine() -> (Line, (callback: hw_log_callback, context: UnsafeMutableRawPointer?))? {
        guard let receiver, dropped > 0 || !lines.isEmpty else { return nil }
        isReceiving = true
        guard dropped == 0 else {
            let text = "\(dropped) log lines were dropped: the log callback is too slow".bytes
            dropped = 0
            return (Line(level: hw_log_level(HW_LOG_WARNING), text: text), receiver)
        }
        return (lines.removeFirst(), receiver)
    }
}
