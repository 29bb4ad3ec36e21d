import Heartbeat
import WebSocket

/// What templates get, always the same but for the counter.
struct FixedValues: TemplateValues {
    var counter: Int64 = 7
    let unixMilliseconds: Int64 = 1_700_000_000_123
    var learnedValue: [UInt8]?

    mutating func advanceCounter() { counter += 1 }
    func appendUUID(to text: inout [UInt8]) { text += "00000000-0000-4000-8000-000000000001".utf8 }
    func appendRandom(to text: inout [UInt8]) { text += "r1".utf8 }
    func learned(_ variable: Int) -> [UInt8]? { learnedValue }
}

/// The rule set of the documents, or nil where there is an error.
func compileRules(_ own: [UInt8], preset: [UInt8]?) -> RuleSet? {
    var compiler = RuleCompiler()
    do throws(RuleError) {
        try compiler.add(own, asPreset: false)
        if let preset { try compiler.add(preset, asPreset: true) }
        return try compiler.finish()
    } catch {
        requireTelling(error)
        return nil
    }
}

/// An error must point at a place and say something.
func requireTelling(_ error: RuleError) {
    require(error.pointer.isEmpty || error.pointer.first == 0x2F, "no pointer: \(error.pointer)")
    require(!error.sentence.isEmpty && error.sentence.utf8.count < 1000, "no sentence: \(error.sentence)")
}

/// Writes what a rule sends, and requires what every written body promises.
func requireSendable(_ send: SendRule, _ captured: Captured, _ given: FixedValues) -> PendingValues? {
    var values = given
    var body: [UInt8] = [1]
    guard let sent = TemplateWriter.write(send, captured, &values, into: &body) else {
        require(body.isEmpty && values.counter == given.counter, "a body that is not sent")
        return nil
    }
    require(body.count <= (send.opcode == .ping ? RuleLimit.pingSize : TemplateWriter.sizeMax), "a body of \(body.count) bytes")
    if send.opcode == .text { require(String(validating: body, as: UTF8.self) != nil, "text that is not UTF-8: \(body)") }
    require((sent.counter != nil) == (values.counter != given.counter), "the counter went from \(given.counter) to \(values.counter)")
    return sent
}

/// The message's units, copied.
func units(_ splitter: inout UnitSplitter, _ message: ArraySlice<UInt8>, _ kind: MessageKind) -> [[UInt8]] {
    withBlock(message) { block in
        splitter.begin(UnsafeRawBufferPointer(block), kind: kind)
        var units: [[UInt8]] = []
        while let unit = splitter.next() { units.append([UInt8](unit)) }
        require(splitter.next() == nil, "a unit after the last one")
        return units
    }
}
