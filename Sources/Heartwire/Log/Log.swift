import CHeartwire
import WebSocket

/// The process's log: lines wait here, bounded, until the dispatcher hands them to the host.
final class Log: @unchecked Sendable {
    struct Line {
        let level: hw_log_level
        let text: [UInt8]
    }

    typealias Receiver = (callback: hw_log_callback, context: UnsafeMutableRawPointer?)

    private let lock = Lock()
    private let handedOver: Condition
    private var level = hw_log_level(HW_LOG_OFF)
    private var receiver: Receiver?
    private var lines: [Line] = []
    private var dropped = 0
    /// What `deliver` has taken, and how much of it the receiver has.
    private var taken: [Line] = []
    private var received = 0
    private var isReceiving = false
    /// Called when there are lines after there were none.
    private var announce: () -> Void = {}

    private static let linesMax = 4096

    init() {
        handedOver = Condition(lock)
    }

    /// `announce` wakes whoever calls `deliver`.
    func start(_ announce: @escaping () -> Void) {
        lock.withLock { self.announce = announce }
    }

    /// Waits, if it `mayWait`, until the receiver that was set before has returned from its last line.
    func set(_ level: hw_log_level, _ receiver: Receiver?, mayWait: Bool) {
        lock.withLock {
            self.level = receiver == nil ? hw_log_level(HW_LOG_OFF) : level
            self.receiver = receiver
            lines = []
            dropped = 0
            taken = []
            received = 0
            while mayWait && isReceiving { _ = handedOver.wait(until: nil) }
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
        lock.withLock {
            swap(&taken, &lines)
            received = 0
            guard dropped > 0 else { return }
            let text = [UInt8]("\(dropped) log lines were dropped: the log callback is too slow".utf8)
            taken.insert(Line(level: hw_log_level(HW_LOG_WARNING), text: text), at: 0)
            dropped = 0
        }
        while let (line, receiver) = next() {
            line.text.withUnsafeBytes {
                receiver.callback(line.level, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, receiver.context)
            }
        }
    }

    /// The line to hand over next; the one before it has been.
    private func next() -> (line: Line, receiver: Receiver)? {
        lock.withLock {
            isReceiving = false
            handedOver.wake()
            guard let receiver, received < taken.count else {
                taken = []
                return nil
            }
            isReceiving = true
            received += 1
            return (taken[received - 1], receiver)
        }
    }
}
