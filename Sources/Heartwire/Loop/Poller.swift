import CSystem
import Heartbeat

/// epoll, level-triggered, with an event descriptor that other threads use to wake the wait.
final class Poller: @unchecked Sendable {
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let readable = Interest(rawValue: hws_readable)
        static let writable = Interest(rawValue: hws_writable)
    }

    struct Ready {
        let data: UInt64
        let events: UInt32
    }

    private let epoll: Int32
    private let wakeUp: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    private static let eventsMax = 256
    private static let wakeUpData = UInt64.max

    /// Nil if the process is out of descriptors.
    init?() {
        let epoll = hws_epoll_create()
        let wakeUp = hws_eventfd()
        guard epoll >= 0, wakeUp >= 0,
            hws_epoll_control(epoll, EPOLL_CTL_ADD, wakeUp, Interest.readable.rawValue, Self.wakeUpData) == 0
        else {
            if epoll >= 0 { close(epoll) }
            if wakeUp >= 0 { close(wakeUp) }
            return nil
        }
        self.epoll = epoll
        self.wakeUp = wakeUp
        events = .allocate(capacity: Self.eventsMax)
    }

    deinit {
        close(epoll)
        close(wakeUp)
        events.deallocate()
    }

    func add(_ fd: Int32, _ interest: Interest, data: UInt64) -> Bool {
        hws_epoll_control(epoll, EPOLL_CTL_ADD, fd, interest.rawValue, data) == 0
    }

    func modify(_ fd: Int32, _ interest: Interest, data: UInt64) {
        _ = hws_epoll_control(epoll, EPOLL_CTL_MOD, fd, interest.rawValue, data)
    }

    func remove(_ fd: Int32) {
        _ = hws_epoll_control(epoll, EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// From any thread: makes the present or next wait return.
    func wake() {
        hws_eventfd_set(wakeUp)
    }

    /// Waits for readiness, a wake-up or the deadline; gives the number of descriptors for `ready(at:)`. Nil if there is nothing to wait on any
    /// more: the host has closed descriptors that it does not own.
    func wait(until deadline: Instant?) -> Int? {
        let count = epoll_wait(epoll, events, Int32(Self.eventsMax), Self.timeout(deadline))
        if count >= 0 { return Int(count) }
        return hws_errno() == EINTR ? 0 : nil
    }

    /// What the last wait found at `index`; nil for a wake-up.
    func ready(at index: Int) -> Ready? {
        let data = hws_epoll_data(events + index)
        guard data == Self.wakeUpData else { return Ready(data: data, events: events[index].events) }
        hws_eventfd_clear(wakeUp)
        return nil
    }

    /// Milliseconds, rounded up so that a timer is due when the wait returns.
    private static func timeout(_ deadline: Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let left = (deadline - Clock.now()).nanoseconds
        guard left > 0 else { return 0 }
        return Int32(min((left - 1) / 1_000_000 + 1, 3_600_000))
    }
}

extension Poller.Ready {
    /// An error or hang-up counts as both: the next read or write tells what it is.
    var isBroken: Bool { events & hws_broken != 0 }
    var isReadable: Bool { events & (Poller.Interest.readable.rawValue | hws_broken) != 0 }
}
