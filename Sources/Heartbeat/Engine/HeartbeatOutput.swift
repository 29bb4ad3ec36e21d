/// What a heartbeat engine asks of its owner, and what it reports.
package enum HeartbeatOutput {
    /// To be sent ahead of queued messages. If it cannot be, tell the engine with `couldNotSend`.
    case send(OutgoingHeartbeat)
    case note(HeartbeatNote)
    /// The connection is to be ended.
    case verdict(HeartbeatVerdict)
}

/// A frame of the heartbeats' own on its way out.
package final class OutgoingHeartbeat: Sendable {
    package enum Purpose: BitwiseCopyable, Equatable {
        case setup
        /// `reply` is nil for the answer of a detector.
        case answer(reply: Int?, received: Instant)
        case beat(Int)
        /// A ping of the engine's own schedule.
        case ping
        /// A ping that asks a silent peer for a sign of life.
        case probe
    }

    package let purpose: Purpose
    package let opcode: SendRule.Opcode
    package let payload: [UInt8]
    /// It carries a number that must come after those of queued messages, so it goes behind them.
    package let followsQueue: Bool

    package init(_ purpose: Purpose, _ opcode: SendRule.Opcode, _ payload: [UInt8], followsQueue: Bool = false) {
        self.purpose = purpose
        self.opcode = opcode
        self.payload = payload
        self.followsQueue = followsQueue
    }
}

/// Something that happened to a heartbeat, for the application.
package final class HeartbeatNote: Sendable {
    package enum Kind {
        case started
        case stopped
        /// The server's heartbeat came.
        case received
        /// Our answer was handed to the kernel.
        case responded(after: Interval, ResponseLevel)
        case responseLevelChanged(from: ResponseLevel, to: ResponseLevel, after: Interval)
        /// What a watch expects has not come for so many of its intervals.
        case timedOut(intervals: Int)
        case failed(HeartbeatFailure, inARow: Int)
        case beatSent
        case beatAcked(roundTrip: Interval, isLate: Bool)
        case beatMissed(inARow: Int)
        case healthChanged(from: Health, to: Health)
        case qualityChanged(from: Quality, to: Quality, mean: Interval)
        /// The service asks for a new connection, at this URL if it names one.
        case reconnectAdvised(url: [UInt8])
    }

    /// Which rule it concerns, counted within its kind.
    package enum Subject: Equatable {
        /// None; the text says more, such as the preset's name.
        case connection([UInt8] = [])
        case ping
        case reply(Int)
        case beat(Int)
        case watch(Int)
        case setup
        case detector
    }

    package let kind: Kind
    package let subject: Subject
    /// The first bytes of the message that this is about.
    package let evidence: [UInt8]

    package static let evidenceMax = 128

    package init(_ kind: Kind, _ subject: Subject, evidence: [UInt8] = []) {
        self.kind = kind
        self.subject = subject
        self.evidence = evidence
    }
}

/// Why a heartbeat request was not answered as it should have been.
package enum HeartbeatFailure: Equatable {
    /// response.timeout passed before the answer was handed to the kernel.
    case overdue
    /// Too many answers wait already, and the socket takes none.
    case couldNotSend
    /// The answer would be too large, or lacks a value that its template needs.
    case couldNotMake
    case detector
}

/// Why heartbeats end a connection.
package enum HeartbeatVerdict: Equatable {
    /// Pings of the engine's own schedule went unanswered.
    case pingsMissed(Int)
    /// So many heartbeats in a row failed: beats not acknowledged, answers late or impossible.
    case failures(Int)
    /// The rule asks for it as soon as this beat is missed.
    case beatMissed(Int)
    /// What the watch expects did not come, nor any other sign of life.
    case silence(watch: Int)
    /// After a suspension of the machine or a change of its network the peer gave no sign of life.
    case probeUnanswered

    /// Surely nothing is heard of the peer: there is no use in waiting for its close frame.
    package var isOfSilence: Bool {
        switch self {
        case .pingsMissed, .silence, .probeUnanswered: true
        case .failures, .beatMissed: false
        }
    }
}

extension HeartbeatNote.Subject {
    init(_ purpose: OutgoingHeartbeat.Purpose) {
        switch purpose {
        case .setup: self = .setup
        case .answer(let reply, _): self = reply.map { .reply($0) } ?? .detector
        case .beat(let index): self = .beat(index)
        case .ping, .probe: self = .ping
        }
    }
}

/// What the host's own detector found in a message.
package enum Detection {
    /// A request that arrived at this moment; the answer is on its way.
    case answered(received: Instant)
    /// A heartbeat that needs no answer.
    case seen
    case failed
    /// A request whose answer found no room.
    case notSent
}
