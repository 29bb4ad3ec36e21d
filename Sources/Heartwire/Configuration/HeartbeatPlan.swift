import CHeartwire
import Heartbeat
import Session
import WebSocket

/// The properties of heartbeats, the preset and the rules of one's own made into what the engine runs on. Contradictions are found here.
enum HeartbeatPlan {
    /// `pingInterval`: unless the property is set.
    static func configuration(
        _ settings: Config.Settings, pingInterval: Interval? = nil
    ) throws(ErrorDetails) -> HeartbeatConfiguration {
        @inline(never)
        func interval(_ id: PropertyId) -> Interval { .milliseconds(settings.number(id)) }
        func count(_ id: PropertyId) -> UInt16 { UInt16(clamping: settings.number(id)) }
        let result = HeartbeatConfiguration()
        let preset = try preset(settings.bytes(.preset))
        result.presetName = settings.bytes(.preset)
        result.rules = try rules(settings, preset)
        try setParameters(settings, preset, result)
        if result.rules?.isSendForbidden ?? false, settings.opening?.sends ?? false {
            throw conflict("a step of the opening script sends, but the rules forbid sending: the service would close the connection")
        }
        result.ping = try ping(settings, preset, result.rules)
        if let pingInterval, !settings.isSet(.pingInterval) { result.ping?.interval = pingInterval }
        result.adaptive = try adaptive(settings, result.ping)
        result.liveness = [.anyReceived, .pong, .data][settings.choice(.liveness)]
        result.silencePolicy = [.probe, .close, .report][settings.choice(.watchOnSilence)]
        result.probeTimeout = interval(.pingTimeout)
        let reports = settings.choice(.heartbeatOnFailure) == 2
        result.failureThreshold = reports ? nil : Int(clamping: settings.number(.heartbeatFailureThreshold))
        result.reconnectsAfterFailure = settings.choice(.heartbeatOnFailure) == 0
        result.closeFrame = try closeFrame(settings)
        result.consumesHeartbeats = settings.boolean(.heartbeatConsume)
        result.response.target = interval(.responseTarget)
        result.response.warning = interval(.responseWarning)
        result.response.critical = interval(.responseCritical)
        result.response.timeout = interval(.responseTimeout)
        result.health = HealthMonitor.Policy(
            warningIntervals: count(.healthWarningIntervals), errorIntervals: count(.healthErrorIntervals),
            recoveryBeats: count(.healthRecoveryBeats))
        result.quality.excellentMean = interval(.qualityExcellentMean)
        result.quality.excellentVariance = UInt64(clamping: settings.number(.qualityExcellentVariance))
        result.quality.goodMean = interval(.qualityGoodMean)
        result.quality.goodVariance = UInt64(clamping: settings.number(.qualityGoodVariance))
        result.quality.fairMean = interval(.qualityFairMean)
        result.hasDetector = settings.onDetect != nil
        result.coder = try coder(result.rules, settings.opening)
        try checkOrder(settings)
        return result
    }

    /// That there is such a preset, or none is named.
    static func check(preset name: [UInt8]) throws(ErrorDetails) {
        _ = try preset(name)
    }

    private static func preset(_ name: [UInt8]) throws(ErrorDetails) -> Preset? {
        guard !name.isEmpty else { return nil }
        let (preset, suggestion) = PresetTable.find(name)
        if let preset { return preset }
        let shown = String(utf8: name.prefix(60))
        let hint = suggestion.map { "; did you mean '\($0)'?" } ?? "; hw_preset_describe lists the presets"
        throw ErrorDetails(HW_E_PRESET, HW_LAYER_CONFIGURATION, "unknown preset '\(shown)'\(hint)")
    }

    // MARK: Rules

    /// The application's own rules first, then the preset's, so that the first reply that matches is the application's; nil without any.
    private static func rules(_ settings: Config.Settings, _ preset: Preset?) throws(ErrorDetails) -> RuleSet? {
        let beat = try payloadBeat(settings)
        guard preset != nil || beat != nil || !settings.rules.isEmpty else { return nil }
        let rules: RuleSet
        var isBeatNew = true
        do throws(RuleError) {
            var compiler = RuleCompiler()
            for rule in settings.rules { try compiler.add(rule, asPreset: false) }
            if let preset { try compiler.add(ASCII.bytes(preset.rule), asPreset: true) }
            if let beat { isBeatNew = compiler.add(beat) }
            rules = try compiler.finish()
        } catch {
            throw ErrorDetails(error)
        }
        guard isBeatNew else {
            throw conflict("a beat of the rules or the preset sends what heartbeat.text or heartbeat.binary says; leave one of them out")
        }
        if rules.isSendForbidden && beat != nil { throw forbidden("heartbeat.interval") }
        return rules
    }

    /// The beat of heartbeat.interval: an interval needs exactly one payload, and a payload an interval.
    private static func payloadBeat(_ settings: Config.Settings) throws(ErrorDetails) -> BeatRule? {
        let isText = settings.isSet(.heartbeatText)
        let isBinary = settings.isSet(.heartbeatBinary)
        let interval = settings.number(.heartbeatInterval)
        let when = settings.choice(.heartbeatWhen)
        if isText && isBinary { throw conflict("heartbeat.text and heartbeat.binary are both set; a beat has one payload") }
        guard interval > 0 else {
            if isText || isBinary { throw conflict("a heartbeat payload is set without heartbeat.interval") }
            if when != 0 { throw conflict("heartbeat.when is set without heartbeat.interval") }
            return nil
        }
        guard isText || isBinary else { throw conflict("heartbeat.interval is set without heartbeat.text or heartbeat.binary") }
        var send = SendRule(body: Template([.literal(settings.bytes(isText ? .heartbeatText : .heartbeatBinary))]))
        send.opcode = isText ? .text : .binary
        let beat = BeatRule(every: .fixed(.milliseconds(interval)), send: send)
        beat.when = [.always, .idleSending, .idleReceiving, .idle][when]
        return beat
    }

    /// Pings, unless the preset sees to the connection itself: services count them against their limits, and some close on them.
    private static func ping(
        _ settings: Config.Settings, _ preset: Preset?, _ rules: RuleSet?
    ) throws(ErrorDetails) -> PingSchedule.Configuration? {
        let isForbidden = rules?.isSendForbidden ?? false
        let isLeftToRules = isForbidden || preset != nil && rules?.noticesSilence ?? false
        guard settings.isSet(.pingInterval) || !isLeftToRules, settings.number(.pingInterval) > 0 else { return nil }
        if isForbidden { throw forbidden("ping.interval") }
        return PingSchedule.Configuration(
            interval: .milliseconds(settings.number(.pingInterval)), timeout: .milliseconds(settings.number(.pingTimeout)),
            missedMax: Int(clamping: settings.number(.pingMissedMax)))
    }

    /// The intervals that pings adapt to: what is not given follows from the others.
    private static func adaptive(
        _ settings: Config.Settings, _ ping: PingSchedule.Configuration?
    ) throws(ErrorDetails) -> AdaptiveInterval? {
        func given(_ id: PropertyId) -> Interval? { settings.number(id) == 0 ? nil : .milliseconds(settings.number(id)) }
        let (fair, poor) = (given(.pingIntervalFair), given(.pingIntervalPoor))
        guard let good = ping?.interval, settings.boolean(.heartbeatAdaptive) else {
            guard fair == nil, poor == nil else {
                throw conflict("ping.interval_fair or ping.interval_poor is set, but heartbeat.adaptive is not, or no pings are sent")
            }
            return nil
        }
        let fairOrDefault = fair ?? max(Interval(nanoseconds: good.nanoseconds / 3 * 2), poor ?? .zero)
        let poorOrDefault = poor ?? min(Interval(nanoseconds: good.nanoseconds / 2), fairOrDefault)
        guard poorOrDefault <= fairOrDefault else {
            throw conflict("ping.interval_poor is larger than ping.interval_fair; set it to the same or less, or raise the other")
        }
        guard fairOrDefault <= good else {
            throw conflict("ping.interval_fair or ping.interval_poor is larger than ping.interval; set it to the same or less")
        }
        return AdaptiveInterval(good: good, fair: fairOrDefault, poor: poorOrDefault)
    }

    /// Zlib, if a rule or step names a coding; there is no use in a connection that could not read its heartbeats.
    private static func coder(_ rules: RuleSet?, _ script: OpeningScript?) throws(ErrorDetails) -> (any BodyCoder)? {
        guard rules?.usesCoding ?? false || script?.usesCoding ?? false else { return nil }
        guard let zlib = Zlib.shared else {
            throw ErrorDetails(
                HW_E_SYSTEM, HW_LAYER_SYSTEM,
                "rules or steps have compressed messages, but libz.so.1 could not be loaded; install zlib (Debian: zlib1g)")
        }
        return ZlibBodies(zlib)
    }

    // MARK: Parameters

    private static func setParameters(
        _ settings: Config.Settings, _ preset: Preset?, _ result: HeartbeatConfiguration
    ) throws(ErrorDetails) {
        let variables = result.rules?.variables ?? []
        result.parameters = variables.map { _ in nil }
        let text = settings.bytes(.presetParameters)
        for part in ASCII.split(text[...], at: 0x2C) where !part.isEmpty {
            let item = ASCII.trimmed(part)
            guard let mark = item.firstIndex(of: 0x3D) else { throw value("lists name=value, separated by commas") }
            let name = [UInt8](ASCII.trimmed(item[..<mark]))
            let given = [UInt8](ASCII.trimmed(item[(mark + 1)...]))
            if name.elementsEqual(ASCII.bytes("counter")) {
                guard let start = ASCII.decimal(given, max: UInt64(Int64.max / 2)) else { throw value("takes a whole number for counter") }
                result.counterStart = Int64(start)
            } else if let variable = variables.firstIndex(where: { $0.elementsEqual(name) }) {
                try checkTime(given, preset?.parameters.first { ASCII.bytes($0.name).elementsEqual(name) })
                result.parameters[variable] = given
            } else if preset?.parameters.contains(where: { ASCII.bytes($0.name).elementsEqual(name) }) != true {
                // What the preset has may be unused where rules of one's own replace its own.
                throw value("names '\(String(utf8: name.prefix(40)))', which no rule uses\(known(preset))")
            }
        }
        for parameter in preset?.parameters ?? [] where parameter.isRequired {
            let index = variables.firstIndex { $0.elementsEqual(ASCII.bytes(parameter.name)) }
            guard let index, result.parameters[index] == nil else { continue }
            throw conflict("the preset needs preset.parameters to say \(parameter.name)= (\(parameter.unit)): \(parameter.doc)")
        }
    }

    /// A length of time that is no number would keep its beat or watch from ever starting.
    private static func checkTime(_ given: [UInt8], _ parameter: PresetParameter?) throws(ErrorDetails) {
        guard let parameter, !ASCII.bytes(parameter.unit).elementsEqual(ASCII.bytes("text")) else { return }
        guard let number = ASCII.decimal(given, max: UInt64(Int64.max)), number > 0 else {
            throw value("takes a whole number (\(parameter.unit)) above 0 for \(parameter.name)")
        }
    }

    private static func known(_ preset: Preset?) -> String {
        guard let parameters = preset?.parameters, !parameters.isEmpty else { return "" }
        return "; the preset has: \(parameters.map { "\($0.name)" }.listed)"
    }

    // MARK: Checks

    private static func closeFrame(_ settings: Config.Settings) throws(ErrorDetails) -> CloseFrame {
        let code = UInt16(clamping: settings.number(.heartbeatCloseCode))
        let reason = settings.bytes(.heartbeatCloseReason)
        guard code < 1002 || code >= 3000 else {
            let sentence = "property 'heartbeat.close_code' takes 1000, 1001 or 3000 to 4999 (RFC 6455 section 7.4)"
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, sentence)
        }
        guard reason.count <= CloseCode.reasonSizeMax else {
            throw ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'heartbeat.close_reason' takes at most 123 bytes")
        }
        return CloseFrame(code: code, reason: reason)
    }

    private static func checkOrder(_ settings: Config.Settings) throws(ErrorDetails) {
        let pairs: [(PropertyId, PropertyId)] = [
            (.responseTarget, .responseWarning), (.responseWarning, .responseCritical), (.responseCritical, .responseTimeout),
            (.healthWarningIntervals, .healthErrorIntervals), (.qualityExcellentMean, .qualityGoodMean),
            (.qualityExcellentVariance, .qualityGoodVariance), (.qualityGoodMean, .qualityFairMean),
        ]
        for (lower, upper) in pairs where settings.number(lower) > settings.number(upper) {
            let (small, large) = (PropertyTable.property(lower), PropertyTable.property(upper))
            throw conflict("\(small.name) is larger than \(large.name); set it to the same or less, or raise the other")
        }
    }

    private static func value(_ sentence: String) -> ErrorDetails {
        ErrorDetails(HW_E_VALUE, HW_LAYER_CONFIGURATION, "property 'preset.parameters' \(sentence)")
    }

    private static func forbidden(_ property: StaticString) -> ErrorDetails {
        conflict("\(property) is set, but the rules forbid sending: the service would close the connection")
    }

    private static func conflict(_ message: String) -> ErrorDetails {
        ErrorDetails(HW_E_CONFLICT, HW_LAYER_CONFIGURATION, message)
    }
}
