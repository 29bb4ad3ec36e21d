import Heartbeat
import WebSocket

/// Something that a client sent, and whether it arrived.
struct Got {
    enum What {
        case message(MessageKind, [UInt8])
        case kept(key: Int, version: Int)
        /// With what it has learned from the greeting.
        case login(Int?)
        case beat(Int)
        case reply(connection: Int, Int)
        case ping([UInt8])
        case pong([UInt8])
        case close([UInt8])
        case broken(ProtocolError)
        case foreign
    }

    let what: What
    let peer: Peer
    /// The world's time when the client's kernel took its last byte.
    let acceptedAt: Instant
    /// The client's kernel had it, the server never.
    let isLost: Bool

    init(_ item: ClientFrames.Item, peer: Peer, acceptedAt: Instant, isLost: Bool) {
        self.peer = peer
        self.acceptedAt = acceptedAt
        self.isLost = isLost
        switch item {
        case .message(let kind, let payload): what = Wording.meaning(kind, payload)
        case .control(.ping, let payload): what = .ping(payload)
        case .control(.pong, let payload): what = .pong(payload)
        case .control(_, let payload): what = .close(payload)
        case .broken(let error): what = .broken(error)
        }
    }
}

/// Something that a server sent.
enum Sent {
    case message([UInt8])
    case ack(Int, [UInt8])
    case ping(Int)
    case pong([UInt8])
    case close

    /// What the application of the client gets to see.
    var message: [UInt8]? {
        switch self {
        case .message(let payload), .ack(_, let payload): payload
        case .ping, .pong, .close: nil
        }
    }
}
