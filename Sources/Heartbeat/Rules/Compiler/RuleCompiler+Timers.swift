import WebSocket

/// Beats and watches.
extension RuleCompiler {
    mutating func addBeat(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "every first when start send ack on_miss")
        let every = try duration(rule.required("every", "\"every\": \"20s\""))
        let beat = BeatRule(every: every, send: try send(rule))
        if let first = rule["first"] {
            beat.first = try first.word(of: "interval now jitter", [.afterInterval, .now, .jitter])
        }
        if let when = rule["when"] {
            beat.when = try when.word(of: "always idle_tx idle_rx idle_any", [.always, .idleSending, .idleReceiving, .idle])
        }
        if let start = rule["start"] { beat.start = try self.start(start, words: "open") }
        if let ack = rule["ack"] { beat.ack = try self.ack(ack, of: beat.send) }
        // "close", or a sentence that begins with it; any other is a remark.
        if let onMiss = rule["on_miss"] { beat.closesOnMiss = try onMiss.text().starts(with: ASCII.bytes("close")) }
        guard add(beat) else {
            throw node.error("sends the same as another beat; leave one out, or leave a preset's out with \"replace\": [\"beat\"]")
        }
    }

    /// Adds a beat that stands in no document. False if another sends the same: two would spend a service's limits twice.
    package mutating func add(_ beat: BeatRule) -> Bool {
        guard !parts.beats.contains(where: { $0.send == beat.send }) else { return false }
        parts.beats.append(beat)
        return true
    }

    mutating func addWatch(_ node: RuleNode) throws(RuleError) {
        let rule = try RuleObject(node, members: "on within start probe")
        let on = try trigger(rule.required("on", "\"on\": \"any_rx\""))
        let within = try rule.required("within", "\"within\": \"60s\"")
        if case .string(let text) = within.value, text == ASCII.bytes("next_beat") {
            throw within.error("\"next_beat\" is for the ack of a beat; a watch needs a duration such as \"60s\"")
        }
        var watch = WatchRule(on: on, within: try duration(within))
        if let start = rule["start"] { watch.start = try self.start(start, words: "open first") }
        if let probe = rule["probe"] {
            watch.probe = try probe.word(of: "ping beat none", [.ping, .beat, .none])
            switch watch.probe {
            case .ping: pingProbes.append(probe)
            case .beat: beatProbes.append(probe)
            case .none: break
            }
        } else {
            defaultProbes.append(parts.watches.count)
        }
        parts.watches.append(watch)
    }

    private mutating func start(_ node: RuleNode, words: StaticString) throws(RuleError) -> Start {
        guard case .string = node.value else { return .match(try match(node)) }
        return try node.word(of: words) == 0 ? .open : .firstSeen
    }

    private mutating func ack(_ node: RuleNode, of send: SendRule) throws(RuleError) -> AckRule {
        let object = try RuleObject(node, members: "on equal at_least within")
        let on = try trigger(object.required("on", "\"on\": {\"json\": {\"/type\": \"pong\"}}"))
        let within = try object.required("within", "\"within\": \"10s\" or \"next_beat\"")
        var ack: AckRule
        if case .string(let text) = within.value, text == ASCII.bytes("next_beat") {
            ack = AckRule(on: on, within: .nextBeat)
        } else {
            ack = AckRule(on: on, within: .after(try duration(within)))
        }
        ack.equal = try correlations(object["equal"], on, send, values: "counter unix_ms uuid rand")
        ack.atLeast = try correlations(object["at_least"], on, send, values: "counter unix_ms")
        return ack
    }

    private mutating func correlations(
        _ node: RuleNode?, _ trigger: Trigger, _ send: SendRule, values: StaticString
    ) throws(RuleError) -> [AckRule.Correlation] {
        guard let node else { return [] }
        guard case .match = trigger else { throw node.error("looks into a message, so 'on' must be a match and no event") }
        var correlations: [AckRule.Correlation] = []
        for node in try node.members(limit: RuleLimit.alternatives) {
            let value: PendingValue = try node.word(of: values, [.counter, .unixMilliseconds, .uuid, .random])
            guard Self.sends(value, send.body.pieces) else {
                throw node.error("the beat does not send this value; put ${\(RuleNode.shown(try node.text()))} into its body")
            }
            correlations.append(AckRule.Correlation(slot: try slot(node.name, node), value: value))
        }
        return correlations
    }

    private static func sends(_ value: PendingValue, _ pieces: [Template.Piece]) -> Bool {
        pieces.contains { piece in
            switch piece {
            case .counter: value == .counter
            case .unixMilliseconds: value == .unixMilliseconds
            case .uuid: value == .uuid
            case .random: value == .random
            case .literal, .captured, .payload, .unixSeconds, .dateTime, .last, .section: false
            }
        }
    }
}
