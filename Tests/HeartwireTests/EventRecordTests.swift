import CHeartwire
import Heartbeat
import Session
import Testing
import WebSocket

@testable import Heartwire

struct EventRecordTests {
    private static let lost = Failure.transport(TransportFailure(kind: .lost, nativeCode: 104, sentence: "reset"))

    @Test func tellsStateChanges() {
        let kind = Event.Kind.stateChanged(from: .connected, reason: Self.lost, delay: .milliseconds(250))
        let record = event(kind, state: .reconnecting, epoch: 3)
        #expect(record.event.delay_ms == 250)
        #expect(record.event.struct_size == UInt32(MemoryLayout<hw_event>.size))
        #expect(record.event.kind == hw_event_kind(HW_EVENT_STATE))
        #expect(record.event.state == hw_state(HW_STATE_RECONNECTING))
        #expect(record.event.previous_state == hw_state(HW_STATE_CONNECTED))
        #expect(record.event.time_ns == 77)
        #expect(record.event.epoch == 3)
        #expect(record.event.status == hw_status(HW_E_CONNECTION_LOST))
        #expect(record.event.native_code == 104)
        #expect(record.text == bytes("reset"))
        #expect(record.error?.status == hw_status(HW_E_CONNECTION_LOST))
        let connected = event(.stateChanged(from: .connecting, reason: nil), state: .connected)
        #expect(connected.event.status == hw_status(HW_OK))
        #expect(connected.event.delay_ms == 0)
    }

    @Test func tellsOpenings() {
        let record = event(.opened(Agreement(subprotocol: bytes("chat"), compression: nil)))
        #expect(record.event.kind == hw_event_kind(HW_EVENT_OPENED))
        #expect(record.text == bytes("chat"))
        #expect(record.error == nil)
    }

    @Test func tellsEndsWithThePeersReasonOrWhatHappened() {
        let asked = event(.closed(frame: CloseFrame(code: 1000, reason: bytes("bye")), byPeer: false, failure: nil))
        #expect(asked.event.kind == hw_event_kind(HW_EVENT_CLOSED))
        #expect(asked.event.status == hw_status(HW_OK))
        #expect(asked.event.close_code == 1000)
        #expect(asked.event.by_peer == 0)
        #expect(asked.text == bytes("bye"))
        let frame = CloseFrame(code: 1012, reason: bytes("restart"))
        let byPeer = event(.closed(frame: frame, byPeer: true, failure: .closedByPeer(frame)))
        #expect(byPeer.event.by_peer == 1)
        #expect(byPeer.event.close_code == 1012)
        #expect(byPeer.event.status == hw_status(HW_E_CLOSED_BY_PEER))
        #expect(byPeer.text == bytes("restart"))
        let broken = event(.closed(frame: CloseFrame(code: 1006, reason: []), byPeer: false, failure: Self.lost))
        #expect(broken.event.close_code == 1006)
        #expect(broken.text == bytes("reset"))
    }

    @Test func tellsFailedAttempts() {
        let refused = Failure.handshake(.refused(HTTPRefusal(status: 503, body: bytes("busy"), retryAfterMs: 7000)))
        let retried = event(.attemptFailed(refused, attempt: 3, delay: .milliseconds(1500)))
        #expect(retried.event.kind == hw_event_kind(HW_EVENT_ATTEMPT_FAILED))
        #expect(retried.event.attempt == 3)
        #expect(retried.event.delay_ms == 1500)
        #expect(retried.event.retryable == 1)
        #expect(retried.event.http_status == 503)
        #expect(retried.event.retry_after_ms == 7000)
        #expect(retried.body == bytes("busy"))
        let last = event(.attemptFailed(refused, attempt: .max, delay: nil))
        #expect(last.event.delay_ms == 0)
        #expect(last.event.attempt == .max)
    }

    /// Whether there is a next attempt is the delay's to say, and what is worth another one is the error's, as everywhere.
    @Test func tellsFailedAttemptsThatMaySucceedLater() {
        let busy = Failure.handshake(.refused(HTTPRefusal(status: 503)))
        let forbidden = Failure.handshake(.refused(HTTPRefusal(status: 403)))
        #expect(event(.attemptFailed(busy, attempt: 1, delay: nil)).event.retryable == 1)
        #expect(event(.attemptFailed(forbidden, attempt: 1, delay: nil)).event.retryable == 0)
        #expect(event(.attemptFailed(busy, attempt: 1, delay: Interval(nanoseconds: 1))).event.delay_ms == 1)
        #expect(event(.attemptFailed(busy, attempt: 1, delay: .zero)).event.delay_ms == 1)
    }

    @Test func tellsWhetherTLSWasResumed() {
        let opened = Event(
            kind: .opened(Agreement(subprotocol: [], compression: nil)), time: Instant(nanoseconds: 1), epoch: 1, state: .connected)
        #expect(EventRecord(opened).event.resumed == 0)
        #expect(EventRecord(opened, isResumed: true).event.resumed == 1)
        let closing = Event(kind: .stateChanged(from: .connected, reason: nil), time: Instant(nanoseconds: 1), epoch: 1, state: .closing)
        #expect(EventRecord(closing, isResumed: true).event.resumed == 0)
    }

    @Test(
        arguments: [
            (.writable, HW_EVENT_WRITABLE, 0),
            (.readingPaused, HW_EVENT_SLOW_CONSUMER, 0),
            (.messagesDropped(9), HW_EVENT_SLOW_CONSUMER, 9), (.released, HW_EVENT_RELEASED, 0),
        ] as [(Event.Kind, Int, UInt64)])
    func tellsTheRestWithTheirCount(kind: Event.Kind, expected: Int, count: UInt64) {
        let record = event(kind)
        #expect(record.event.kind == hw_event_kind(expected))
        #expect(record.event.count == count)
        #expect(record.text == [])
    }

    @Test(
        arguments: [
            (.opened(Agreement(subprotocol: bytes("chat"), compression: nil)), "chat", nil), (.writable, "", nil),
            (.warning("beware"), "beware", nil),
            (.attemptFailed(.handshake(.refused(HTTPRefusal(status: 500, body: bytes("body")))), attempt: 1, delay: nil), nil, "body"),
        ] as [(Event.Kind, String?, String?)])
    func laysItselfOutInOneBlock(kind: Event.Kind, text: String?, body: String?) {
        let record = event(kind)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: record.size, alignment: MemoryLayout<hw_event>.alignment)
        defer { memory.deallocate() }
        let event = record.write(to: memory).pointee
        let block = UnsafeRawPointer(memory)..<UnsafeRawPointer(memory + record.size + 1)
        #expect(event.text != nil)
        #expect(block.contains(UnsafeRawPointer(event.text)))
        let written = UnsafeRawBufferPointer(start: event.text, count: event.text_size)
        #expect([UInt8](written) == record.text)
        if let text { #expect([UInt8](written) == bytes(text)) }
        #expect([UInt8](UnsafeBufferPointer(start: event.body, count: event.body_size)) == bytes(body ?? ""))
        #expect((event.body == nil) == (body == nil))
    }
}
