import Heartbeat
import Session
import WebSocket

/// Short names for tables and traces.
extension HeartbeatNote {
    var kindName: String {
        let text = "\(kind)"
        return String(text.prefix { $0 != "(" })
    }
}

extension Failure {
    var name: String {
        switch self {
        case .transport(let failure): "transport \(failure.kind)"
        case .handshake(.refused(let refusal)): "HTTP \(refusal.status)"
        case .handshake(let error): "handshake \(error)"
        case .connectTimeout: "connect timeout"
        case .handshakeTimeout: "handshake timeout"
        case .protocolViolation: "protocol violation"
        case .closedByPeer(let frame): "by peer \(frame.code)"
        case .heartbeat(let verdict, _): "heartbeat " + String("\(verdict)".prefix { $0 != "(" })
        case .slowConsumer: "slow consumer"
        }
    }
}

extension Event {
    var text: String {
        switch kind {
        case .stateChanged(let from, let reason): "\(from) -> \(state)" + (reason.map { ": \($0.name)" } ?? "")
        case .opened: "opened"
        case .closed(let frame, let byPeer, let failure):
            "closed \(frame.code)\(byPeer ? " by peer" : ""): \(failure.map { $0.name } ?? "as asked")"
        case .attemptFailed(let failure, let attempt, let delay):
            "attempt \(attempt) failed: \(failure.name), next \(delay.map { "in \($0.text)" } ?? "never")"
        case .heartbeat(let note): "\(note.kind) \(note.subject)"
        case .writable: "writable"
        case .readingPaused: "reading paused"
        case .messagesDropped(let count): "\(count) messages dropped"
        case .warning(let text): "warning: \(text)"
        case .released: "released"
        }
    }
}

extension Fact {
    var isWorthNoting: Bool {
        switch self {
        case .settled, .audit: false
        default: true
        }
    }

    var text: String {
        switch self {
        case .began: "opens the handle"
        case .accepted(let message): "sends message \(message.number), \(message.size) bytes, id \(message.id)"
        case .refused(let admission, let size): "message of \(size) bytes refused: \(admission)"
        case .closeAsked(let frame): "asks for the end, \(frame.code)"
        case .releaseAsked: "releases the handle"
        case .attemptBegan: "ATTEMPT"
        case .transportOpened(let line): "transport is open: line \(line.number)"
        case .read(let bytes): "reads \(bytes) bytes"
        case .wrote(let offered, let taken): "writes \(taken) of \(offered) bytes"
        case .delivered(let payload, _): "gets \(String(decoding: payload.prefix(40), as: UTF8.self))"
        case .event(let event): "EVENT \(event.epoch) \(event.text)"
        case .released: "RELEASED"
        case .settled: "settled"
        case .serverOpened(let peer): "server: connection \(peer.number) is open, line \(peer.line.number)"
        case .serverGot(let got): "server: connection \(got.peer.number) \(got.isLost ? "has lost" : "got") \(got.what.text)"
        case .serverSent(let peer, let sent): "server: connection \(peer.number) sends \(sent.text)"
        case .serverEnded(let peer): "server: connection \(peer.number) has ended"
        case .pingArrived(let peer, let number, _): "ping \(peer.number).\(number) has arrived"
        case .requestArrived(let peer, let number, _): "request \(peer.number).\(number) has arrived"
        case .audit: "audit"
        case .calm: "calm"
        case .ended: "the run ends"
        case .nothingUnderway: "nothing is underway any more"
        }
    }
}

extension Got.What {
    var text: String {
        switch self {
        case .message(_, let payload): "message " + String(decoding: payload.prefix(20), as: UTF8.self)
        case .beat(let number): "beat \(number)"
        case .reply(let connection, let number): "reply to \(connection).\(number)"
        case .ping(let payload): "ping \(payload)"
        case .pong(let payload): "pong " + String(decoding: payload, as: UTF8.self)
        case .close(let payload): "close frame \(payload)"
        case .broken(let error): "what breaks the protocol: \(error)"
        case .foreign: "something unknown"
        }
    }
}

extension Sent {
    var text: String {
        switch self {
        case .data(let payload), .request(let payload), .ack(_, let payload): String(decoding: payload.prefix(40), as: UTF8.self)
        case .ping(let number): "ping \(number)"
        case .pong(let payload): "pong \(payload)"
        }
    }
}
