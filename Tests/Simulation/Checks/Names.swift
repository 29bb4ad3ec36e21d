import Heartbeat
import Session
import WebSocket

/// Short names for tables and traces.
extension HeartbeatNote {
    var kindName: String {
        switch kind {
        case .started: "started"
        case .stopped: "stopped"
        case .received: "received"
        case .responded: "responded"
        case .responseLevelChanged: "responseLevelChanged"
        case .timedOut: "timedOut"
        case .failed: "failed"
        case .beatSent: "beatSent"
        case .beatAcked: "beatAcked"
        case .beatMissed: "beatMissed"
        case .healthChanged: "healthChanged"
        case .qualityChanged: "qualityChanged"
        case .reconnectAdvised: "reconnectAdvised"
        }
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
        case .beforeConnect(let text): text == nil ? "before connect, no answer" : "before connect, refused"
        case .script(let failure): "script " + String("\(failure.reason)".prefix { $0 != "(" })
        case .accepting(let failure): "turned away with \(failure.status)"
        }
    }
}

extension Event {
    var kindName: String { String("\(kind)".prefix { $0 != "(" }) }

    var text: String {
        switch kind {
        case .stateChanged(let from, let reason, _): "\(from) -> \(state)" + (reason.map { ": \($0.name)" } ?? "")
        case .closed(let frame, let byPeer, let failure):
            "closed \(frame.code)\(byPeer ? " by peer" : ""): \(failure?.name ?? "as asked")"
        case .attemptFailed(let failure, let attempt, let delay):
            "attempt \(attempt) failed: \(failure.name), next \(delay.map { "in \($0.text)" } ?? "never")"
        case .heartbeat(let note): "\(note.kindName) \(note.subject)"
        case .acceptDue(let id, _, _): "accept \(id) is due"
        case .connectDue(let id, let attempt, _, let timeout): "attempt \(attempt) is due, id \(id), answer within \(timeout.text)"
        case .gap(let gap, let ended):
            "gap from \(gap.began.text) to \(ended.text), last message \(gap.lastMessage?.text ?? "never"), \(gap.inDoubt) in doubt"
        case .attemptHeld(let time, let hold): "attempt held for \(time.text) by \(hold)"
        case .circuit(let change): "circuit \(change.from) -> \(change.to) for \(change.openFor.text)"
        case .rotation(let step, let failure, let inDoubt): "rotation \(step), \(inDoubt) in doubt" + (failure.map { ": \($0.name)" } ?? "")
        case .outcome(let stretch): "\(stretch.first) to \(stretch.last): \(stretch.outcome)"
        case .opened, .writable, .readingPaused, .messagesDropped, .warning, .released: kindName
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

    var text: String { ownText ?? serverText ?? "\(self)" }

    /// What client and application do.
    private var ownText: String? {
        switch self {
        case .accepted(let message):
            "sends message \(message.number)\(message.options.isNow ? " now" : "")\(message.isUnfinished ? " in parts" : ""), "
                + "\(message.size) bytes, id \(message.id)"
        case .completed(let message): "ends message \(message.number)"
        case .refused(let admission, let size, let isNow): "message of \(size) bytes\(isNow ? " now" : "") refused: \(admission)"
        case .cancelled(let message, let result): "takes message \(message.number) back: \(result)"
        case .kept(let kept): "keeps key \(kept.key), version \(kept.version)"
        case .removed(let kept): "keeps key \(kept.key) no more"
        case .closeAsked(let frame): "asks for the end, \(frame.code)"
        case .attemptBegan(let place): "ATTEMPT in the \(place) place"
        case .transportOpened(let line): "transport is open: line \(line.number)"
        case .read(let bytes, let epoch): "reads \(bytes) bytes from connection \(epoch)"
        case .wrote(let offered, let taken): "writes \(taken) of \(offered) bytes"
        case .delivered(let payload, let epoch): "gets from \(epoch): \(shown(payload))"
        case .leftOut(let payload, let epoch): "leaves out from \(epoch): \(shown(payload))"
        case .event(let event): "EVENT \(event.epoch) \(event.text)"
        default: nil
        }
    }

    private var serverText: String? {
        switch self {
        case .serverAsked(let peer, let token): "server: connection \(peer.number) is asked for, token \(token ?? 0)"
        case .serverOpened(let peer): "server: connection \(peer.number) is open, line \(peer.line.number)"
        case .serverGot(let got): "server: connection \(got.peer.number) \(got.isLost ? "has lost" : "got") \(got.what.text)"
        case .serverSent(let peer, let sent): "server: connection \(peer.number) sends \(sent.text)"
        case .serverEnded(let peer): "server: connection \(peer.number) has ended"
        case .pingArrived(let peer, let number, _): "ping \(peer.number).\(number) has arrived"
        case .requestArrived(let peer, let number, _): "request \(peer.number).\(number) has arrived"
        default: nil
        }
    }
}

private func shown(_ payload: [UInt8]) -> String { String(decoding: payload.prefix(40), as: UTF8.self) }

extension Got.What {
    var text: String {
        switch self {
        case .message(_, let payload): "message \(shown([UInt8](payload.prefix(20))))"
        case .kept(let key, let version): "key \(key), version \(version)"
        case .login(let learned): "login \(learned ?? 0)"
        case .beat(let number): "beat \(number)"
        case .reply(let connection, let number): "reply to \(connection).\(number)"
        case .ping(let payload): "ping \(payload)"
        case .pong(let payload): "pong \(shown(payload))"
        case .close(let payload): "close frame \(payload)"
        case .broken(let error): "what breaks the protocol: \(error)"
        case .foreign: "something unknown"
        }
    }
}

extension Sent {
    var text: String {
        switch self {
        case .message(let payload), .ack(_, let payload): shown(payload)
        case .ping(let number): "ping \(number)"
        case .pong(let payload): "pong \(payload)"
        case .close: "close frame"
        }
    }
}
