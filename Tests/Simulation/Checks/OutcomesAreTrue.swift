import Heartbeat
import Session
import WebSocket

/// Every accepted message comes to one outcome, which is what happened to it: sent if the kernel had all of it, and nothing else if not;
/// expired only after its time; dropped only to make room, or because it was to be sent now and its connection broke; cancelled only on
/// demand, or at the end for good. Each outcome is told once, sent ones on demand.
final class OutcomesAreTrue: Checker {
    private var told: [UInt64: Outcome] = [:]
    private var cancelled: Set<UInt64> = []
    private var byId: [UInt64: Outgoing] = [:]

    override func see(_ fact: Fact) {
        switch fact {
        case .accepted(let message):
            expect(byId[message.id] == nil && message.id == UInt64(byId.count + 1), "message \(message.number) has the id \(message.id)")
            byId[message.id] = message
        case .cancelled(let message, let result): cancel(message, result)
        case .event(let event): if case .outcome(let stretch) = event.kind { tell(stretch, event.time) }
        case .nothingUnderway: checkAll()
        default: break
        }
    }

    private func cancel(_ message: Outgoing, _ result: MessageQueue.Cancellation) {
        switch result {
        case .cancelled:
            expect(cancelled.insert(message.id).inserted, "message \(message.number) could be taken back twice")
            expect(client.driver.outcome(of: message.id) == .cancelled, "message \(message.number) was taken back, its outcome is another")
        case .tooLate:
            expect(
                !message.isUnfinished || client.isOver || client.driver.outcome(of: message.id) != .pending || client.active != nil,
                "too late for a draft")
        case .unknown: fail("message \(message.number) is unknown to cancel")
        }
    }

    private func tell(_ stretch: OutcomeStretch, _ time: Instant) {
        for id in stretch.first...stretch.last {
            guard let message = byId[id] else { return fail("an outcome for id \(id), which no message has") }
            expect(
                told.updateValue(stretch.outcome, forKey: id) == nil,
                "message \(message.number) comes to a second outcome, \(stretch.outcome)")
            check(message, stretch.outcome, time)
        }
    }

    private func check(_ message: Outgoing, _ outcome: Outcome, _ time: Instant) {
        switch outcome {
        case .pending: fail("the outcome of message \(message.number) is told, and it is pending")
        case .sent: expect(message.options.isReported, "message \(message.number) is told to be sent, and nobody asked for it")
        case .expired:
            guard let expiry = message.options.expiry else { return fail("message \(message.number) expired without a time to live") }
            // A sender's thread may have seen the clock a little later than the turn that tells of it.
            expect(time + .microseconds(100) >= expiry, "message \(message.number) expired \((expiry - time).text) before its time")
        case .dropped:
            let mayDrop = message.options.isNow || plan.outbox.overflow == .dropOldest
            expect(mayDrop, "message \(message.number) was dropped")
        case .cancelled:
            let isOver = client.isOver || client.closeAsked != nil || client.isReleaseAsked || client.driver.state.isFinal
            expect(cancelled.contains(message.id) || isOver, "message \(message.number) was cancelled, and nobody asked for it")
        }
    }

    private func checkAll() {
        var forgotten = 0
        for message in byId.values.sorted(by: { $0.id < $1.id }) {
            guard let outcome = client.driver.outcome(of: message.id) else {
                forgotten += 1
                expect(forgotten <= max(0, byId.count - Outcomes.stretchesMin), "the outcome of message \(message.number) is forgotten")
                continue
            }
            if client.isOver || client.isReleaseAsked {
                expect(outcome != .pending || client.isReleaseAsked, "message \(message.number) is pending after the end")
            }
            expect(
                (outcome == .sent) == message.wasSent,
                "the outcome of message \(message.number) is \(outcome), the kernel had all of it: \(message.wasSent)")
            guard !client.isReleaseAsked, outcome != .pending else { continue }
            let mustTell = outcome != .sent || message.options.isReported
            guard mustTell else { continue }
            expect(
                told[message.id] == outcome,
                "message \(message.number) is \(outcome), told was \(told[message.id].map { "\($0)" } ?? "nothing")")
        }
    }
}
