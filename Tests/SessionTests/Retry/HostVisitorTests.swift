/// Sessions before the gates that they share.
import Heartbeat
import Session
import Testing
import WebSocket

struct HostVisitorTests {
    private static let start = Instant(nanoseconds: 0)

    private func url(_ text: String) throws -> URL { try URL(parsing: bytes(text)) }

    private final class Visitor {
        private var visitor: HostVisitor
        private let sighting = CircuitSighting()
        private var random = Random(seed: 1)

        init(_ gates: HostGateTable, _ token: UInt64, failuresMax: Int = 2) {
            var policy = HostGate.Policy()
            policy.failuresMax = failuresMax
            visitor = HostVisitor(gates, policy, token: token, sighting)
        }

        func admit(to url: URL, _ now: Instant) -> HostGate.Admission { visitor.admit(to: url, now, &random) }

        func attemptEnded(_ health: HostGate.Health, _ now: Instant) { visitor.attemptEnded(health, now) }

        func leave(_ now: Instant) { visitor.leave(now) }

        func takeChange() -> CircuitSighting.Change? { sighting.takeChange() }
    }

    @Test func shareACircuitForEachHostAndPort() throws {
        let gates = HostGateTable()
        let one = Visitor(gates, 1)
        for _ in 0..<2 {
            #expect(one.admit(to: try url("ws://Host.test:80/a"), Self.start) == .go)
            one.attemptEnded(.unwell, Self.start)
        }
        for (other, isHeld) in [
            ("ws://host.TEST/b?c", true), ("wss://host.test:80", true), ("wss://host.test", false), ("ws://host.test:81", false),
            ("ws://other.test", false),
        ] {
            let two = Visitor(gates, 2)
            #expect((two.admit(to: try url(other), Self.start) != .go) == isHeld, "\(other)")
            #expect(two.takeChange()?.to == (isHeld ? .open : nil))
            two.leave(Self.start)
        }
    }

    @Test func reportEachChangeOnce() throws {
        let gates = HostGateTable()
        let host = try url("ws://host.test")
        let (one, two, free) = (Visitor(gates, 1), Visitor(gates, 2), Visitor(gates, 3, failuresMax: 0))
        var now = Self.start
        for _ in 0..<2 {
            #expect(one.takeChange() == nil)
            #expect(one.admit(to: host, now) == .go)
            one.attemptEnded(.unwell, now)
        }
        let opened = one.takeChange()
        #expect(opened?.from == .closed && opened?.to == .open && opened?.openFor == .seconds(5))
        #expect(opened?.host == bytes("host.test:80"))
        #expect(one.takeChange() == nil)
        #expect(two.takeChange() == nil)
        #expect(two.admit(to: host, now) == .wait(until: now + .seconds(5), .circuit))
        #expect(two.takeChange()?.to == .open)
        #expect(free.admit(to: host, now) == .go)
        free.attemptEnded(.unwell, now)
        #expect(free.takeChange() == nil)
        now = now + .seconds(5)
        #expect(two.admit(to: host, now) == .go)
        let probing = two.takeChange()
        #expect(probing?.from == .open && probing?.to == .halfOpen && probing?.openFor == .zero)
        two.attemptEnded(.well, now)
        #expect(two.takeChange()?.to == .closed)
        #expect(one.admit(to: host, now) == .go)
        #expect(one.takeChange()?.to == .closed)
    }

    @Test func thoseOfOneSessionReportAChangeTogether() throws {
        let gates = HostGateTable()
        let host = try url("ws://host.test")
        var policy = HostGate.Policy()
        policy.failuresMax = 1
        let sighting = CircuitSighting()
        var (first, second) = (HostVisitor(gates, policy, token: 1, sighting), HostVisitor(gates, policy, token: 2, sighting))
        var random = Random(seed: 1)
        _ = first.admit(to: host, Self.start, &random)
        first.attemptEnded(.unwell, Self.start)
        #expect(sighting.takeChange()?.to == .open)
        _ = second.admit(to: host, Self.start, &random)
        #expect(sighting.takeChange() == nil)
        second.leave(Self.start)
    }

    @Test func passTheProbeOnWhenTheyLeaveOrGoElsewhere() throws {
        for goesElsewhere in [false, true] {
            let gates = HostGateTable()
            let host = try url("ws://host.test")
            let (one, two) = (Visitor(gates, 1), Visitor(gates, 2))
            for _ in 0..<2 {
                _ = one.admit(to: host, Self.start)
                one.attemptEnded(.unwell, Self.start)
            }
            let now = Self.start + .seconds(5)
            #expect(one.admit(to: host, now) == .go)
            if goesElsewhere {
                #expect(one.admit(to: try url("ws://other.test"), now) == .go)
            } else {
                one.leave(now)
            }
            #expect(two.admit(to: host, now) == .go)
            #expect(two.takeChange()?.to == .halfOpen)
        }
    }

    @Test func anAttemptEndsOnce() throws {
        let gates = HostGateTable()
        let one = Visitor(gates, 1)
        _ = one.admit(to: try url("ws://host.test"), Self.start)
        for _ in 0..<5 { one.attemptEnded(.unwell, Self.start) }
        #expect(one.takeChange() == nil)
    }

    @Test func hostsThatNobodyNeedsAreForgotten() throws {
        let gates = HostGateTable()
        for number in 0..<3000 {
            let one = Visitor(gates, UInt64(number))
            _ = one.admit(to: try url("ws://h\(number)"), Self.start + .milliseconds(Int64(number)))
            one.attemptEnded(.unwell, Self.start)
            #expect(gates.count <= HostGateTable.hostsMax)
        }
        #expect(gates.count == HostGateTable.hostsMax)
        let last = Visitor(gates, 1)
        _ = last.admit(to: try url("ws://last"), Self.start + .seconds(200))
        #expect(gates.count == 1)
    }
}
