import Heartbeat
import WebSocket

/// The heartbeats of one open connection: its own pings and its payload beat. Nothing beats before the connection opens or after it ends.
struct Beats {
    enum Output {
        case missed(inARow: Int)
        case peerIsGone(missed: Int)
    }

    private var pings: PingSchedule?
    private var payloadBeat: PayloadBeat?

    /// No connection, no beats.
    init() {}

    /// A new connection starts fresh: the first beats come one interval from now.
    init(_ configuration: SessionConfiguration, salt: UInt64, opened: Instant) {
        pings = configuration.ping.map { PingSchedule($0, salt: salt, opened: opened) }
        payloadBeat = configuration.beat.map { PayloadBeat($0, opened: opened) }
    }

    var deadline: Instant? {
        switch (pings?.deadline, payloadBeat?.deadline) {
        case (let ping?, let beat?): min(ping, beat)
        case (let ping?, nil): ping
        case (nil, let beat): beat
        }
    }

    /// Sends what is due. Gives one thing to report; call until there is none.
    mutating func poll(_ now: Instant, _ outbox: inout Outbox) -> Output? {
        if let configuration = payloadBeat?.configuration, payloadBeat?.poll(now) == true { outbox.beat(configuration) }
        while let output = pings?.poll(now) {
            switch output {
            case .idle: return nil
            case .send(let payload): outbox.ping(payload)
            case .missed(let count): return .missed(inARow: count)
            case .peerIsGone(let count): return .peerIsGone(missed: count)
            }
        }
        return nil
    }

    mutating func bytesReceived() {
        pings?.bytesReceived()
    }

    /// The round-trip time, if the pong answers one of this connection's pings.
    mutating func pongReceived(_ payload: UnsafeRawBufferPointer, _ now: Instant) -> Interval? {
        guard payload.count == 8 else { return nil }
        return pings?.pongReceived(UInt64(bigEndian: payload.loadUnaligned(as: UInt64.self)), now)
    }

    mutating func readingPaused(_ now: Instant) {
        pings?.readingPaused(now)
    }

    mutating func readingResumed(_ now: Instant) {
        pings?.readingResumed(now)
    }
}
