import Heartbeat
import Testing
import WebSocket

struct TemplateWriterTests {
    /// The values of a test: numbers that count, and what was learned.
    struct Values: TemplateValues {
        var counter: Int64 = 41
        var unixMilliseconds: Int64 = 1_700_000_000_999
        var learnedValues: [[UInt8]?] = []
        var uuids = 0
        var randoms = 0

        mutating func advanceCounter() { counter += 1 }
        mutating func appendUUID(to text: inout [UInt8]) {
            uuids += 1
            text += Array("uuid\(uuids)".utf8)
        }
        mutating func appendRandom(to text: inout [UInt8]) {
            randoms += 1
            text += Array("r\(randoms)".utf8)
        }
        func learned(_ variable: Int) -> [UInt8]? { learnedValues.indices.contains(variable) ? learnedValues[variable] : nil }
    }

    @Test(arguments: [
        ("plain $ text {}", "plain $ text {}"),
        ("${id}", "7"),
        ("a${id}b${id}c", "a7b7c"),
        ("${payload}", #"{"id":7,"note":"n"}"#),
        ("${counter}/${counter}", "41/41"),
        ("${unix_s}", "1700000000"),
        ("${unix_ms}", "1700000000999"),
        ("${iso8601}", "2023-11-14T22:13:20.999+00:00"),
        ("${uuid} ${uuid}", "uuid1 uuid1"),
        ("${rand} ${rand}", "r1 r1"),
        ("${missing}", nil),
        ("x${?id},${id}${/}y", "x,7y"),
        ("x${?missing},${missing}${/}y", "xy"),
        ("${?id}${?missing}a${/}b${/}", "b"),
        ("${?missing}${counter}${/}${counter}", "41"),
        ("${?missing}${?id}${missing}${/}${/}", ""),
        ("${last.unknown}", nil),
        ("${last.unknown|null}", "null"),
        ("${last.unknown|}", ""),
        ("${last.unknown|a|b}", "a|b"),
        ("", ""),
        ("}$${id}$", "}$7$"),
    ])
    func writes(template: String, body: String?) throws {
        #expect(try write(template)?.body == body.map { Array($0.utf8) })
    }

    @Test func writesLearnedValues() throws {
        var values = Values()
        values.learnedValues = [Array("251".utf8)]
        #expect(try write("${last.s|null}", &values)?.body == Array("251".utf8))
    }

    @Test func givesTheValuesThatAnAckMayRepeat() throws {
        let sent = try #require(try write("${counter}${unix_ms}${uuid}${rand}")).sent
        #expect(sent.text(of: .counter) == Array("41".utf8))
        #expect(sent.text(of: .unixMilliseconds) == Array("1700000000999".utf8))
        #expect(sent.text(of: .uuid) == Array("uuid1".utf8))
        #expect(sent.text(of: .random) == Array("r1".utf8))
        #expect(try write("x")?.sent == PendingValues())
    }

    @Test func theCounterAdvancesWithWhatIsSent() throws {
        var values = Values()
        #expect(try write("${counter}${missing}", &values) == nil)
        #expect(values.counter == 41)
        #expect(try write("${counter}${counter}", &values) != nil)
        #expect(values.counter == 42)
        #expect(try write("x", &values) != nil)
        #expect(values.counter == 42)
    }

    @Test func bodiesAreBounded() throws {
        let limit = TemplateWriter.sizeMax
        #expect(try write("${payload}", payload: [UInt8](repeating: 0x61, count: limit))?.body.count == limit)
        #expect(try write("${payload}", payload: [UInt8](repeating: 0x61, count: limit + 1)) == nil)
        #expect(try write("${payload}x", payload: [UInt8](repeating: 0x61, count: limit)) == nil)
        #expect(try write("${payload}", payload: [UInt8](repeating: 0x61, count: limit), members: #", "wrap": "tv""#) == nil)
        #expect(try write("${payload}", payload: [UInt8](repeating: 0x61, count: 125), members: #", "op": "ping""#)?.body.count == 125)
        #expect(try write("${payload}", payload: [UInt8](repeating: 0x61, count: 126), members: #", "op": "ping""#) == nil)
    }

    @Test func textIsUTF8OrNotSent() throws {
        #expect(try write("${payload}", payload: [0x61, 0xFF]) == nil)
        #expect(try write("${payload}", payload: [0x61, 0xFF], members: #", "op": "binary""#)?.body == [0x61, 0xFF])
    }

    @Test(arguments: [("~h~1", "~m~4~m~~h~1"), ("", "~m~0~m~"), ("ä", "~m~1~m~ä"), ("😀!", "~m~3~m~😀!")])
    func wrapsRecords(text: String, record: String) throws {
        let body = try write("${payload}", payload: Array(text.utf8), members: #", "wrap": "tv""#)?.body
        #expect(body == Array(record.utf8))
        var splitter = UnitSplitter(.tradingView)
        Array(record.utf8).withUnsafeBytes { bytes in
            splitter.begin(bytes, kind: .text)
            #expect(splitter.next().map { Array($0) } == (text.isEmpty ? nil : Array(text.utf8)))
        }
    }

    private static let message = Array(#"{"id":7,"note":"n"}"#.utf8)

    private func write(_ template: String, payload: [UInt8] = message, members: String = "") throws -> (body: [UInt8], sent: PendingValues)?
    {
        var values = Values()
        return try write(template, &values, payload: payload, members: members)
    }

    private func write(
        _ template: String, _ values: inout Values, payload: [UInt8] = message, members: String = ""
    ) throws -> (body: [UInt8], sent: PendingValues)? {
        let rules = try compile(
            #"{"reply": [{"on": {}, "take": {"id": "/id", "missing": "/missing"}, "send": {"body": "\#(template)"\#(members)}}]}"#)
        var body = Array("left over".utf8)
        let scanner = JSONScanner()
        let sent = withUnit(payload) { unit in
            var captured = Captured()
            captured.take(rules.replies[0].take, from: &unit, rules, scanner)
            defer { withExtendedLifetime(scanner) {} }
            return TemplateWriter.write(rules.replies[0].send, captured, &values, into: &body)
        }
        guard let sent else {
            #expect(body.isEmpty)
            return nil
        }
        return (body, sent)
    }
}
