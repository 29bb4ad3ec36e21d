import Heartbeat
import Session
import WebSocket

/// Any texts as the steps of an opening script; what is accepted then runs against any messages, each at any time.
func examine(_ given: Input) {
    var input = given
    let configuration = HeartbeatConfiguration()
    configuration.rules = frames[input.choice() % frames.count].flatMap { compileRules([UInt8]($0.utf8), preset: nil) }
    if input.flag() { configuration.coder = Zlib.shared.map { ZlibBodies($0) } }
    var script: OpeningScript?
    for _ in 0..<(1 + input.choice() % 6) { script = adding(input.take(input.choice()), to: script) }
    guard let script else { return }
    run(script, configuration, &input)
}

/// How messages become units, as the heartbeat rules of a connection say.
private let frames: [String?] = [
    nil, #"{"frame": {"split": "\n"}}"#, #"{"frame": {"split": "tv"}}"#, #"{"frame": {"decode": ["gzip"]}}"#,
    #"{"frame": {"decode": ["raw_deflate"], "split": "\u001e"}}"#,
]

/// The script with the step, or as it was if the step is not accepted.
private func adding(_ text: [UInt8], to script: OpeningScript?) -> OpeningScript? {
    let before = script?.steps.count ?? 0
    do throws(RuleError) {
        let longer = try OpeningScript.adding(text, to: script)
        require(longer.steps.count == before + 1, "\(longer.steps.count) steps after \(before)")
        require(sends(longer.steps[before]) ? longer.sends : longer.sends == (script?.sends ?? false), "forgets what it sends")
        return longer
    } catch {
        requireTelling(error)
        require((script?.steps.count ?? 0) == before, "a step that is not accepted leaves something behind")
        return script
    }
}

private func sends(_ step: OpeningStep) -> Bool { if case .send = step { true } else { false } }

/// A run, and what it has come to.
private struct Observer {
    let script: OpeningScript
    var run: OpeningRun
    /// How many messages it has put out.
    var sent = 0
    private var isOver = false

    init(_ script: OpeningScript, _ run: OpeningRun, _ now: Instant) {
        self.script = script
        self.run = run
        observe(now)
    }

    /// What holds after each thing that happens to a run.
    mutating func observe(_ now: Instant, deadlineBefore: Instant? = nil) {
        let messages = run.takeMessages()
        require(!isOver || messages.isEmpty, "sends after its end")
        messages.forEach(requireWritable)
        sent += messages.count
        require(run.takeMessages().isEmpty, "gives a message twice")
        switch run.state {
        case .waiting:
            require(!isOver, "goes on after its end")
            require(run.deadline != nil, "waits without a deadline")
        case .done:
            require(sent == script.steps.count(where: sends), "done after \(sent) messages of \(script.steps)")
        case .failed(let failure):
            requireTelling(failure, now, deadlineBefore)
        }
        if case .waiting = run.state { return }
        require(run.deadline == nil, "has a deadline after its end")
        isOver = true
    }

    private func requireWritable(_ message: OpeningMessage) {
        require(message.payload.count <= 2 * TemplateWriter.sizeMax, "a message of \(message.payload.count) bytes")
        guard message.kind == .text else { return }
        require(String(validating: message.payload, as: UTF8.self) != nil, "text that is not UTF-8: \(message.payload)")
    }

    /// The step that failed is one that can fail so, and after as many messages as stand before it.
    private func requireTelling(_ failure: OpeningFailure, _ now: Instant, _ deadlineBefore: Instant?) {
        require(script.steps.indices.contains(failure.step), "step \(failure.step) failed")
        require(!failure.sentence.isEmpty && failure.sentence.utf8.count < 1000, "no sentence: \(failure.sentence)")
        require(sent == script.steps[..<failure.step].count(where: sends), "step \(failure.step) failed after \(sent) messages")
        switch failure.reason {
        case .timedOut(let interval):
            require(!sends(script.steps[failure.step]), "a step that sends timed out")
            require(interval >= RuleLimit.intervalMin && interval <= RuleLimit.intervalMax, "after \(interval.nanoseconds) ns")
            require(isOver || deadlineBefore.map { now >= $0 } == true, "timed out too early")
        case .refused(let evidence):
            require(!sends(script.steps[failure.step]) && evidence.count <= HeartbeatNote.evidenceMax, "refused by \(evidence)")
        case .couldNotMake:
            require(sends(script.steps[failure.step]), "a step that expects could not be made")
        }
    }
}

/// Shows the messages to the run, the clock going on between them.
private func run(_ script: OpeningScript, _ configuration: HeartbeatConfiguration, _ input: inout Input) {
    var now = Instant(nanoseconds: 1_000_000_000)
    let scratch = RuleScratch()
    let begun = OpeningRun(script, configuration, timeout: .seconds(10), environment: FixedWorld(), now)
    var observer = Observer(script, begun, now)
    while !input.isEmpty {
        now = now + .milliseconds(Int64(input.choice()) * 100)
        let kind: MessageKind = input.flag() ? .binary : .text
        let message = input.take(input.choice())
        if input.flag() {
            let deadline = observer.run.deadline
            observer.run.poll(now)
            observer.observe(now, deadlineBefore: deadline)
            if let deadline = observer.run.deadline { require(deadline > now, "waits beyond its deadline") }
        }
        withBlock(message[...]) { observer.run.messageReceived(kind, UnsafeRawBufferPointer($0), scratch, now) }
        observer.observe(now)
    }
    if let deadline = observer.run.deadline {
        observer.run.poll(deadline)
        observer.observe(deadline, deadlineBefore: deadline)
        require(observer.run.deadline == nil, "waits beyond its deadline")
    }
}

/// A world in which all is always the same.
private final class FixedWorld: HeartbeatEnvironment {
    func unixNanoseconds(at now: Instant) -> Int64 { 1_700_000_000_123_000_000 }
    func appendUUID(to text: inout [UInt8]) { text += "00000000-0000-4000-8000-000000000001".utf8 }
    func appendRandom(to text: inout [UInt8]) { text += "r1".utf8 }
    func fraction() -> Double { 0.5 }
}
