/// What several suites of this module need: connections that lead nowhere, and inboxes whose contents can be compared.
import CHeartwire
import Heartbeat
import Session
import WebSocket

@testable import Heartwire

func bytes(_ text: String) -> [UInt8] { [UInt8](text.utf8) }

func text(_ literal: StaticString) -> String { literal.description }

extension Config {
    convenience init(_ properties: [(String, String)]) throws {
        self.init()
        for (name, value) in properties { try set(bytes(name), bytes(value)) }
    }

    func plan(url: String = "ws://nowhere.test") throws(ErrorDetails) -> ConnectionPlan {
        let (settings, heartbeat) = try prepared()
        return try ConnectionPlan(settings, heartbeat, url: bytes(url), tlsContexts: TLSContexts())
    }
}

/// A connection whose I/O thread never runs: nothing that is posted to it happens.
func idleConnection(io: IOThread? = IOThread()) throws -> Connection {
    guard let io else { throw ErrorDetails(HW_E_SYSTEM, HW_LAYER_SYSTEM, "out of descriptors") }
    let plan = try Config().plan()
    return Connection(plan, library: Library.shared, io: io)
}

extension Event.Kind {
    /// A missed ping.
    static func missed(_ inARow: Int) -> Event.Kind { .heartbeat(HeartbeatNote(.beatMissed(inARow: inARow), .ping)) }
}

func event(_ kind: Event.Kind, state: State = .connected, epoch: UInt64 = 1) -> EventRecord {
    EventRecord(Event(kind: kind, time: Instant(nanoseconds: 77), epoch: epoch, state: state))
}

/// One delivery, copied out of borrowed memory.
enum Delivered: Equatable {
    case message(hw_kind, [UInt8])
    case event(hw_event_kind, count: UInt64)

    init(_ delivery: hw_delivery) {
        if let event = delivery.event?.pointee {
            self = .event(event.kind, count: event.count)
        } else {
            self = .message(
                delivery.message.kind, [UInt8](UnsafeBufferPointer(start: delivery.message.data, count: delivery.message.size)))
        }
    }

    static func text(_ string: String) -> Delivered { .message(hw_kind(HW_TEXT), bytes(string)) }

    static func missed(_ count: UInt64) -> Delivered { .event(hw_event_kind(HW_EVENT_BEAT_MISSED), count: count) }
}

extension Array where Element == [UInt8] {
    /// Calls `body` with the payloads as a batch of text messages.
    func withBatch<Result>(_ body: (UnsafeBufferPointer<Message>) throws -> Result) rethrows -> Result {
        var batch = MessageBatch()
        let joined = flatMap { $0 }
        return try joined.withUnsafeBytes { joined in
            var start = 0
            for payload in self {
                batch.append(Message(kind: .text, payload: UnsafeRawBufferPointer(rebasing: joined[start..<start + payload.count])))
                start += payload.count
            }
            return try body(batch.messages)
        }
    }
}
