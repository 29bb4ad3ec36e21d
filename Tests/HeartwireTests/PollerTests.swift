import CSystem
import Heartbeat
import Testing

@testable import Heartwire

struct PollerTests {
    @Test func returnsAtItsDeadlineWithNothing() throws {
        let poller = try #require(Poller())
        let deadline = Clock.now() + .milliseconds(5)
        #expect(poller.wait(until: deadline) == 0)
        #expect(Clock.now() >= deadline)
    }

    @Test func aWakeBeforeTheWaitEndsIt() throws {
        let poller = try #require(Poller())
        poller.wake()
        poller.wake()
        #expect(poller.wait(until: nil) == 1)
        #expect(poller.ready(at: 0)?.data == nil)
        #expect(poller.wait(until: Clock.now()) == 0)
    }

    @Test func tellsWhoIsReadyForWhat() throws {
        let poller = try #require(Poller())
        let fd = hws_eventfd()
        defer { close(fd) }
        #expect(poller.add(fd, [.readable], data: 42))
        #expect(poller.wait(until: Clock.now()) == 0)
        poller.modify(fd, [.readable, .writable], data: 43)
        #expect(poller.wait(until: nil) == 1)
        let writable = try #require(poller.ready(at: 0))
        #expect(writable.data == 43)
        #expect(writable.events == Poller.Interest.writable.rawValue)
        #expect(!writable.isReadable)
        hws_eventfd_set(fd)
        #expect(poller.wait(until: nil) == 1)
        #expect(poller.ready(at: 0)?.isReadable == true)
        poller.remove(fd)
        #expect(poller.wait(until: Clock.now()) == 0)
    }
}
