import Heartbeat
import Session

/// Two connections that overlap in a rotation deliver everything that the server has for the client, once if duplicates are dropped; a
/// message is dropped as a duplicate only if the other connection has delivered it; and a rotation comes when its time has.
final class RotationsLoseNothing: Checker {
    /// The items that each connection has delivered or left out.
    private var items: [UInt64: Set<Int>] = [:]
    private var delivered: [UInt64: Set<Int>] = [:]
    private var overlapBegan: Instant?
    private var deliveredInOverlap: [UInt64: Set<Int>] = [:]
    private var endedWell: Set<UInt64> = []
    private var due: Mark?
    private var pause = Pause()

    override func see(_ fact: Fact) {
        switch fact {
        case .delivered(let payload, let epoch): if let key = Wording.key(payload) { deliver(key, epoch) }
        case .leftOut(let payload, let epoch): if let key = Wording.key(payload) { leaveOut(key, epoch) }
        case .event(let event): take(event)
        case .releaseAsked, .rotationAsked: due = nil
        case .settled: if pause.isOn(client) { startAnew() }
        case .audit:
            if pause.isOn(client) { startAnew() }
            checkDue()
        default: break
        }
    }

    private func take(_ event: Event) {
        switch event.kind {
        case .opened: if client.active != nil { deliveredInOverlap = [:] }
        case .closed(let frame, _, let failure):
            // One that ends with its session is cut off.
            if failure == nil && !client.wasClosedByServer(event.epoch) && frame.code != 1006 { endedWell.insert(event.epoch) }
            due = nil
        case .rotation(.started, _, _): due = nil
        case .rotation(.switched, _, _): dueAfter(event.epoch)
        case .rotation(.finished, _, _): finished(event.epoch)
        case .stateChanged: if event.state == .connected { dueAfter(event.epoch) } else { due = nil }
        default: break
        }
    }

    private func deliver(_ key: Int, _ epoch: UInt64) {
        items[epoch, default: []].insert(key)
        delivered[epoch, default: []].insert(key)
        guard plan.dropsDuplicates, client.connections.count(where: { $0.isOpen }) == 2 else { return }
        for other in client.connections.suffix(2) where other.epoch != epoch {
            let isTwice = deliveredInOverlap[other.epoch, default: []].contains(key)
            expect(!isTwice, "item \(key) is delivered by connection \(epoch) after connection \(other.epoch)")
        }
        deliveredInOverlap[epoch, default: []].insert(key)
    }

    private func leaveOut(_ key: Int, _ epoch: UInt64) {
        items[epoch, default: []].insert(key)
        expect(plan.dropsDuplicates, "item \(key) is left out, and nobody asked for that")
        let isKnown = client.connections.contains { $0.epoch != epoch && delivered[$0.epoch, default: []].contains(key) }
        expect(isKnown, "item \(key) of connection \(epoch) is left out, and no other has delivered it")
    }

    /// The old connection has ended: if it ended well, there is no hole between its items and the new one's.
    private func finished(_ epoch: UInt64) {
        guard endedWell.contains(epoch), let old = items[epoch], let new = items[epoch + 1], client.connections.last?.epoch == epoch + 1,
            let first = old.min(), let last = new.max()
        else { return }
        for key in first...max(first, last) where !old.contains(key) && !new.contains(key) {
            return fail("item \(key) came by neither connection of the rotation from \(epoch) to \(epoch + 1)")
        }
    }

    // MARK: By age

    private func dueAfter(_ epoch: UInt64) {
        guard let age = plan.session.rotateAfter, let opened = client.connection(epoch)?.openedAt else { return }
        due = Mark(time: max(opened.time + age, now), frozen: opened.frozen)
    }

    /// The old connection waits for the application to take what it has delivered.
    private func startAnew() {
        if let due { self.due = Mark(time: max(due.time, now), frozen: world.machine.frozen) }
    }

    private func checkDue() {
        guard let due, client.active != nil, client.driver.state == .connected else { return }
        // The connection before may take its time to retire.
        let patience = plan.session.rotateLinger + plan.session.closeTimeout
        expect(
            now <= due.time + patience + slack(since: due),
            "the connection is \((now - due.time).text) older than it should become")
    }
}
