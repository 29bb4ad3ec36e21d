import Heartbeat
import WebSocket

/// One run of an opening script, on one connection. Its owner sends the messages it puts out, in their order, shows it each whole message
/// that arrives, and polls it when its deadline has come.
package struct OpeningRun {
    package enum State {
        case waiting
        case done
        case failed(OpeningFailure)
    }

    private let script: OpeningScript
    /// Whose frame says how messages become units.
    private let configuration: HeartbeatConfiguration
    private let environment: any HeartbeatEnvironment
    private let timeout: Interval
    private let variables: HeartbeatVariables
    private var splitter: UnitSplitter
    private var step = 0
    private var messages: [OpeningMessage] = []
    package private(set) var state = State.waiting
    /// When what is expected is overdue; nil if nothing is.
    private var due: Instant?
    private var pausedAt: Instant?

    /// Begins: the first messages are there to be sent. `timeout` is for expectations that give none.
    package init(
        _ script: OpeningScript, _ configuration: HeartbeatConfiguration, timeout: Interval, environment: any HeartbeatEnvironment,
        _ now: Instant
    ) {
        self.script = script
        self.configuration = configuration
        self.environment = environment
        self.timeout = timeout
        variables = HeartbeatVariables(script.rules, valueSizeMax: TemplateWriter.sizeMax)
        splitter = UnitSplitter(configuration.rules?.frame.split)
        proceed(now)
    }

    package var deadline: Instant? { pausedAt == nil ? due : nil }

    /// Nothing is read for a while: the time to answer stands still.
    package mutating func pause(_ now: Instant) {
        if pausedAt == nil { pausedAt = now }
    }

    package mutating func resume(_ now: Instant) {
        if let pausedAt, let due { self.due = due + (now - pausedAt) }
        pausedAt = nil
    }

    package mutating func takeMessages() -> [OpeningMessage] {
        defer { messages = [] }
        return messages
    }

    /// A whole message arrived.
    package mutating func messageReceived(
        _ kind: MessageKind, _ payload: UnsafeRawBufferPointer, _ scratch: RuleScratch, _ now: Instant
    ) {
        guard due != nil, let plain = configuration.decoded(kind, payload, scratch) else { return }
        splitter.begin(plain, kind: kind)
        while due != nil, let bytes = splitter.next() {
            var unit = UnitView(bytes, kind: kind)
            unitReceived(&unit, scratch.scanner, now)
        }
    }

    package mutating func poll(_ now: Instant) {
        guard let deadline, now >= deadline, case .expect(let expectation) = script.steps[step] else { return }
        fail(.timedOut(after: expectation.timeout ?? timeout))
    }

    private mutating func unitReceived(_ unit: inout UnitView, _ scanner: JSONScanner, _ now: Instant) {
        guard case .expect(let expectation) = script.steps[step] else { return }
        if let refusal = expectation.fail, refusal.holds(for: &unit, script.rules, scanner) {
            fail(.refused([UInt8](unit.bytes.prefix(HeartbeatNote.evidenceMax))))
        } else if expectation.match.holds(for: &unit, script.rules, scanner) {
            for rule in expectation.learns { _ = variables.learn(rule, from: &unit, scanner) }
            step += 1
            proceed(now)
        }
    }

    /// Puts out what is to be sent up to the next expectation.
    private mutating func proceed(_ now: Instant) {
        due = nil
        while step < script.steps.count {
            switch script.steps[step] {
            case .send(let rule):
                guard send(rule, now) else {
                    fail(.couldNotMake)
                    return
                }
                step += 1
            case .expect(let expectation):
                due = now + (expectation.timeout ?? timeout)
                return
            }
        }
        state = .done
    }

    private mutating func send(_ rule: SendRule, _ now: Instant) -> Bool {
        var body: [UInt8] = []
        let values = EngineValues(environment: environment, variables: variables, now: now)
        guard configuration.render(rule, Captured(), values, into: &body) != nil else { return false }
        messages.append(OpeningMessage(kind: rule.opcode == .binary ? .binary : .text, payload: body))
        return true
    }

    private mutating func fail(_ reason: OpeningFailure.Reason) {
        due = nil
        state = .failed(OpeningFailure(step: step, reason: reason))
    }
}

/// A message of an opening script.
package struct OpeningMessage {
    package let kind: MessageKind
    package let payload: [UInt8]
}

/// Why an opening script did not come to its end.
package struct OpeningFailure: Equatable {
    package enum Reason: Equatable {
        case timedOut(after: Interval)
        /// The message that its 'fail' matches, or the first bytes of it.
        case refused([UInt8])
        case couldNotMake
    }

    /// Counted from 0.
    package let step: Int
    package let reason: Reason

    package init(step: Int, reason: Reason) {
        self.step = step
        self.reason = reason
    }

    package var sentence: String {
        let place = "step \(step) of the opening script"
        return switch reason {
        case .timedOut(let interval): "\(place): what it expects did not come within \(interval.nanoseconds / 1_000_000) ms"
        case .refused(let message): "\(place): the server refused: \(RuleNode.shown(message))"
        case .couldNotMake:
            "\(place) could not be sent: a value that it takes from an earlier message is missing, or it is too long or no UTF-8"
        }
    }
}
