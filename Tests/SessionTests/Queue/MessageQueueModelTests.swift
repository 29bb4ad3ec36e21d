/// The queue against a model that does the same in the plainest way, through random calls.
import Heartbeat
import Testing
import WebSocket

@testable import Session

/// What the queue promises: a list of messages that are never forgotten.
private struct Model {
    struct Item {
        let id: UInt64
        var payload: [UInt8]
        var isComplete = true
        var isNow = false
        var isReported = false
        var isOpening = false
        var expiry: Int64?
        var outcome = Outcome.pending
        /// Bytes of it that are on the wire.
        var encoded = 0
        var wireEnd: UInt64?

        var waits: Bool { outcome == .pending }
        var hasBegun: Bool { encoded > 0 || wireEnd != nil }
    }

    var items: [Item] = []
    var reported: [UInt64: Outcome] = [:]

    var waiting: [Int] { items.indices.filter { items[$0].waits } }
    var count: Int { waiting.count }
    var byteCount: Int { waiting.reduce(0) { $0 + items[$1].payload.count } }
    var nextExpiry: Int64? { waiting.filter { !items[$0].hasBegun }.compactMap { items[$0].expiry }.min() }

    mutating func settle(_ index: Int, _ outcome: Outcome) {
        items[index].outcome = outcome
        if !items[index].isOpening && (outcome != .sent || items[index].isReported) { reported[items[index].id] = outcome }
    }

    /// Whether a message, or a part, has room; in a queue that drops, once the oldest have given way.
    mutating func admit(_ size: Int, isNew: Bool, messagesMax: Int, bytesMax: Int, drops: Bool) -> Bool {
        var (spareMessages, spareBytes) = (messagesMax - count - (isNew ? 1 : 0), bytesMax - byteCount - size)
        if !isNew { spareMessages = 0 }
        var leaving: [Int] = []
        for index in waiting where spareMessages < 0 || spareBytes < 0 {
            guard drops, !items[index].hasBegun, items[index].isComplete, !items[index].isOpening else { continue }
            leaving.append(index)
            spareMessages += 1
            spareBytes += items[index].payload.count
        }
        guard spareMessages >= 0 && spareBytes >= 0 else { return false }
        for index in leaving { settle(index, .dropped) }
        return true
    }

    mutating func expire(_ now: Int64) {
        for index in waiting where !items[index].hasBegun {
            if let expiry = items[index].expiry, expiry <= now { settle(index, .expired) }
        }
    }

    /// The connection ends at `now`, to which time expiry has been looked after.
    mutating func endConnection(_ now: Int64, isTakenOver: Bool) {
        for index in waiting {
            let isOverdue = items[index].expiry.map { $0 <= now } ?? false
            if items[index].isOpening || items[index].isNow && (items[index].hasBegun || !isTakenOver) {
                settle(index, .dropped)
            } else if isOverdue {
                settle(index, .expired)
            }
            (items[index].encoded, items[index].wireEnd) = (0, nil)
        }
    }

    /// The message whose bytes come next, unless it is unfinished.
    var next: Int? { waiting.first { items[$0].wireEnd == nil } }
}

struct MessageQueueModelTests {
    private static let (messagesMax, bytesMax) = (12, 60)

    @Test(arguments: 0..<100) func doesWhatTheModelDoes(seed: UInt64) {
        var random = Random(seed: seed)
        func below(_ bound: UInt64) -> UInt64 { random.next(through: bound - 1) }
        let drops = seed % 2 == 0
        let holdsDrafts = seed % 3 == 0
        let harness = QueueHarness(
            messagesMax: Self.messagesMax, bytesMax: Self.bytesMax, overflow: drops ? .dropOldest : .reject, holdsDrafts: holdsDrafts)
        var model = Model()
        var reported: [UInt64: Outcome] = [:]
        var (now, lastId): (Int64, UInt64) = (0, 0)

        func admits(_ size: Int, isNew: Bool) -> Bool {
            model.admit(size, isNew: isNew, messagesMax: Self.messagesMax, bytesMax: Self.bytesMax, drops: drops)
        }

        for _ in 0..<300 {
            let payload = [UInt8](repeating: UInt8(truncatingIfNeeded: lastId + 1), count: Int(below(12)))
            switch below(12) {
            case 0, 1, 2:
                let expiry = below(2) == 0 ? now + 1 + Int64(below(40)) : nil
                let item = Model.Item(id: lastId + 1, payload: payload, isNow: below(4) == 0, isReported: below(3) == 0, expiry: expiry)
                let admission = harness.send(payload, now: item.isNow, reported: item.isReported, expiry: expiry)
                if admits(payload.count, isNew: true) {
                    lastId += 1
                    model.items.append(item)
                    #expect(admission == .accepted(id: lastId))
                } else {
                    #expect(admission == .full)
                }
            case 3:
                let admission = harness.sendOpening(payload)
                let isAdmitted = admits(payload.count, isNew: true)
                #expect(admission == (isAdmitted ? .accepted(id: 0) : .full))
                if isAdmitted { model.items.append(Model.Item(id: 0, payload: payload, isOpening: true)) }
            case 4:
                let expiry = below(2) == 0 ? now + 1 + Int64(below(40)) : nil
                let admission = harness.part(payload, expiry: expiry)
                if admits(payload.count, isNew: true) {
                    lastId += 1
                    model.items.append(Model.Item(id: lastId, payload: payload, isComplete: false, expiry: expiry))
                    #expect(admission == .accepted(id: lastId))
                } else {
                    #expect(admission == .full)
                }
            case 5:
                guard let index = model.waiting.last(where: { !model.items[$0].isComplete }) else { continue }
                let (id, isLast) = (model.items[index].id, below(2) == 0)
                let admission = harness.part(payload, of: id, isLast: isLast)
                if payload.count > Self.bytesMax - model.items[index].payload.count {
                    #expect(admission == .tooLarge)
                } else if index == model.waiting.first || admits(payload.count, isNew: false) {
                    model.items[index].payload += payload
                    model.items[index].isComplete = isLast
                    #expect(admission == .accepted(id: id))
                } else {
                    #expect(admission == .full)
                }
            case 6:
                let id = below(lastId + 2)
                let index = model.items.firstIndex { $0.id == id && !$0.isOpening }
                let canBe = index.map { model.items[$0].waits && !model.items[$0].hasBegun }
                #expect(harness.cancel(id) == (canBe.map { $0 ? .cancelled : .tooLate } ?? .unknown))
                if let index, canBe == true { model.settle(index, .cancelled) }
            case 7:
                now += Int64(below(10))
                harness.expire(now)
                model.expire(now)
            case 8, 9:
                let sizeMax = 1 + Int(below(8))
                let fragment = harness.encodeFragment(sizeMax: sizeMax)
                guard let index = model.next else {
                    #expect(fragment == nil)
                    continue
                }
                let item = model.items[index]
                let left = item.payload.count - item.encoded
                guard item.isComplete || left > 0 && !holdsDrafts else {
                    #expect(fragment == nil)
                    continue
                }
                let size = min(left, sizeMax)
                let isFinal = item.isComplete && size == left
                #expect(fragment.map { $0.bytes } == Array(item.payload[item.encoded..<(item.encoded + size)]))
                #expect(fragment?.isFinal == isFinal)
                model.items[index].encoded += size
                if isFinal { model.items[index].wireEnd = harness.wireWritten }
            case 10:
                let count = harness.transmit(below(20))
                let sent = model.waiting.filter { model.items[$0].wireEnd.map { $0 <= harness.wireSent } ?? false }
                #expect(count == UInt64(sent.count))
                for index in sent { model.settle(index, .sent) }
            default:
                guard below(4) == 0 else { continue }
                harness.expire(now)
                let isTakenOver = below(2) == 0
                harness.endConnection(isTakenOver: isTakenOver)
                model.expire(now)
                model.endConnection(now, isTakenOver: isTakenOver)
            }
            check(harness, model)
            for stretch in harness.takeReports() {
                for id in stretch.first...stretch.last { #expect(reported.updateValue(stretch.outcome, forKey: id) == nil) }
            }
            #expect(reported == model.reported)
        }
    }

    private func check(_ harness: QueueHarness, _ model: Model) {
        #expect(harness.queue.count == model.count)
        #expect(harness.queue.byteCount == model.byteCount)
        let numbered = model.items.filter { !$0.isOpening }
        #expect(numbered.map { harness.outcome($0.id) } == numbered.map(\.outcome))
        if let expiry = model.nextExpiry { #expect((harness.nextExpiry ?? .max) <= expiry) }
    }
}
