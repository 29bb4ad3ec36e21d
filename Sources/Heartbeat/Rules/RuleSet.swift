import WebSocket

/// Heartbeat rules, compiled: what to send when, what to answer, what to expect. Made by `RuleCompiler`, never changed afterwards, and
/// shared by all connections of a configuration. Sources/Heartbeat/Rules/README.md describes the language.
package final class RuleSet {
    package let frame: FrameRule
    package let setups: [SetupRule]
    package let learns: [LearnRule]
    package let replies: [ReplyRule]
    package let beats: [BeatRule]
    package let watches: [WatchRule]
    package let stamps: [StampRule]
    package let reconnect: ReconnectRule
    package let isSendForbidden: Bool
    /// Everything that any rule looks for in JSON.
    package let paths: JSONPaths
    /// Passes every unit that could satisfy a predicate on JSON.
    package let filter: LiteralFilter
    /// The names that learn rules, durations and templates refer to; a variable is an index into them.
    package let variables: [[UInt8]]
    /// Whether anything is learned from what the application sends.
    package let learnsFromOutgoing: Bool
    private let interest: RuleInterest

    package init(_ parts: RuleSetParts) {
        frame = parts.frame
        setups = parts.setups
        learns = parts.learns
        replies = parts.replies
        beats = parts.beats
        watches = parts.watches
        stamps = parts.stamps
        reconnect = parts.reconnect
        isSendForbidden = parts.isSendForbidden
        paths = parts.paths
        filter = parts.filter
        variables = parts.variables
        learnsFromOutgoing = parts.learns.contains { $0.isOutgoing }
        interest = RuleInterest(parts)
    }

    /// False if no rule can hold for the message, which is found out without parsing it.
    package func mayConcern(_ kind: MessageKind, _ payload: UnsafeRawBufferPointer) -> Bool {
        interest.mayConcern(kind, payload, filter)
    }

    /// True if anything is read or written in a compressed form.
    package var usesCoding: Bool {
        !frame.decode.isEmpty || setups.contains { !$0.send.encode.isEmpty } || replies.contains { !$0.send.encode.isEmpty }
            || beats.contains { !$0.send.encode.isEmpty }
    }

    /// True if the silence or the vanishing of the peer would be noticed: by a watch, or by a beat that is acknowledged.
    package var noticesSilence: Bool { !watches.isEmpty || beats.contains { $0.ack != nil } }
}

/// What a rule set is made from.
package struct RuleSetParts {
    package var frame = FrameRule()
    package var setups: [SetupRule] = []
    package var learns: [LearnRule] = []
    package var replies: [ReplyRule] = []
    package var beats: [BeatRule] = []
    package var watches: [WatchRule] = []
    package var stamps: [StampRule] = []
    package var reconnect = ReconnectRule()
    package var isSendForbidden = false
    package var paths = JSONPaths()
    package var filter = LiteralFilter([])
    package var variables: [[UInt8]] = []

    package init() {}
}

/// How one message becomes units.
package struct FrameRule {
    /// Undone in order, for binary messages only.
    package var decode: [BodyCoding] = []
    package var split: UnitSplit?

    package init() {}
}

package enum BodyCoding: UInt8 {
    case gzip
    case zlib
    case rawDeflate
}

package enum UnitSplit: UInt8 {
    case lineFeed
    case carriageReturnLineFeed
    /// U+001E after each record, as SignalR writes them.
    case recordSeparator
    /// `~m~LENGTH~m~` before each record.
    case tradingView
    /// A length as LEB128 before each record.
    case varint
    case mqtt
}

/// What a message must be; at least one of the conditions holds.
package struct Match {
    package var alternatives: [Condition]

    package init(_ alternatives: [Condition]) {
        self.alternatives = alternatives
    }
}

/// All of it holds. What is nil or empty is not asked for.
package struct Condition {
    package enum Opcode: UInt8 {
        case text
        case binary
        case any
    }

    package var opcode = Opcode.text
    package var length: Int?
    /// The whole unit, byte for byte.
    package var equals: [UInt8]?
    package var prefix: [UInt8]?
    /// The text up to the first space or the end.
    package var word: [UInt8]?
    package var isEmptyObject = false
    package var members: [MemberTest] = []

    package init() {}
}

/// A predicate on the value at a path; `slot` is a number given by `JSONPaths`.
package struct MemberTest {
    package enum Kind {
        case equals(JSONScalar)
        case exists
        case lacks
        case isOf(JSONKind)
    }

    package var slot: Int
    package var kind: Kind

    package init(slot: Int, _ kind: Kind) {
        self.slot = slot
        self.kind = kind
    }
}

/// What a watch expects or an ack is.
package enum Trigger {
    case match(Match)
    /// Any received text or binary message.
    case anyReceived
    case pingFrame
    case pongFrame
}

/// A control frame that a watch or ack can wait for.
enum ExpectedFrame {
    case ping
    case pong
}

extension Trigger {
    func isFrame(_ frame: ExpectedFrame) -> Bool {
        switch (self, frame) {
        case (.pingFrame, .ping), (.pongFrame, .pong): true
        case (.match, _), (.anyReceived, _), (.pingFrame, .pong), (.pongFrame, .ping): false
        }
    }
}

package enum Start {
    case open
    /// With the first message that the watch itself expects.
    case firstSeen
    case match(Match)
}

package enum Capture {
    /// Raw JSON text, exactly as received.
    case json(slot: Int)
    /// The whole unit.
    case payload
    case text(TextCapture)
}

/// Text between two literals, optionally one field of a separated list; trimmed.
package struct TextCapture {
    package var after: [UInt8]
    /// Nil: to the end of the unit.
    package var until: [UInt8]?
    package var separator: [UInt8]?
    package var index = 0

    package init(after: [UInt8]) {
        self.after = after
    }
}

package struct SetupRule {
    /// Nil: when the connection opens.
    package var on: Match?
    package var send: SendRule

    package init(on: Match?, send: SendRule) {
        self.on = on
        self.send = send
    }
}

package struct LearnRule {
    package enum Target {
        case variable(Int)
        /// The next `${counter}` is the value and one.
        case counter
    }

    package var on: Match
    package var capture: Capture
    package var target: Target
    /// From messages that the application sends, instead of received ones.
    package var isOutgoing: Bool

    package init(on: Match, capture: Capture, target: Target, isOutgoing: Bool) {
        self.on = on
        self.capture = capture
        self.target = target
        self.isOutgoing = isOutgoing
    }
}

package struct ReplyRule {
    package var on: Match
    /// What the template's `captured` pieces refer to by index.
    package var take: [Capture]
    package var send: SendRule

    package init(on: Match, take: [Capture], send: SendRule) {
        self.on = on
        self.take = take
        self.send = send
    }
}

package final class BeatRule {
    package enum First: UInt8 {
        case afterInterval
        case now
        /// After the interval times a random number below one.
        case jitter
    }

    package enum When: UInt8 {
        case always
        case idleSending
        case idleReceiving
        case idle
    }

    package var every: DurationRule
    package var first = First.afterInterval
    package var when = When.always
    package var start = Start.open
    package var send: SendRule
    package var ack: AckRule?
    /// A missed ack ends the connection, whatever else arrives.
    package var closesOnMiss = false

    package init(every: DurationRule, send: SendRule) {
        self.every = every
        self.send = send
    }
}

package struct AckRule {
    package enum Deadline {
        case after(DurationRule)
        case nextBeat
    }

    package struct Correlation {
        package var slot: Int
        package var value: PendingValue

        package init(slot: Int, value: PendingValue) {
            self.slot = slot
            self.value = value
        }
    }

    package var on: Trigger
    package var equal: [Correlation] = []
    package var atLeast: [Correlation] = []
    package var within: Deadline

    package init(on: Trigger, within: Deadline) {
        self.on = on
        self.within = within
    }
}

/// A value that a beat carried and its ack repeats.
package enum PendingValue: UInt8 {
    case counter
    case uuid
    case random
    case unixMilliseconds
}

package struct WatchRule {
    package enum Probe: UInt8 {
        case ping
        /// The rule set's first beat.
        case beat
        case none
    }

    package var on: Trigger
    package var within: DurationRule
    package var start = Start.open
    package var probe = Probe.ping

    package init(on: Trigger, within: DurationRule) {
        self.on = on
        self.within = within
    }
}

/// Where a message tells the server's time.
package struct StampRule {
    package var on: Match
    package var capture: Capture
    package var unit: TimestampUnit

    package init(on: Match, capture: Capture, unit: TimestampUnit) {
        self.on = on
        self.capture = capture
        self.unit = unit
    }
}

/// When the service wants a new connection: reported, never acted on.
package struct ReconnectRule {
    package var ageMax: Interval?
    package var on: [Match] = []
    /// Where the message says the new connection should lead.
    package var url: Capture?

    package init() {}
}
